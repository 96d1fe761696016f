"""Every figure that the services give, with its labels: what `Metrics` is made from and `docs/metrics.md` lists."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from libs.telemetry import names

WHOSE = (names.COMPANY, names.PROVIDER, names.INTERFACE)


class Kind(Enum):
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric. A label that does not apply to an item is left out; the description says where one never does."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    description: str

    @property
    def prometheus_name(self) -> str:
        """What a scrape calls it."""
        seconds = "_seconds" if self.unit == "s" else ""
        total = "_total" if self.kind is Kind.COUNTER else ""
        return self.name.replace(".", "_") + seconds + total


def _counter(name: str, unit: str, labels: tuple[str, ...], description: str) -> Figure:
    return Figure(name, Kind.COUNTER, unit, labels, description)


_ALL = (
    _counter(
        names.METRIC_RECEIVED,
        "{event}",
        WHOSE,
        "Stored for the first time: webhooks, files and a provider's answers at the gateway, events at the ledger",
    ),
    _counter(names.METRIC_POSTED, "{posting}", WHOSE, "Postings that stand in Odoo"),
    _counter(
        names.METRIC_DUPLICATES,
        "{event}",
        WHOSE,
        "As in received, but known already; a page that a poll sees again is one",
    ),
    _counter(names.METRIC_NO_EFFECT, "{event}", WHOSE, "Events that are evidence of another's fact"),
    _counter(
        names.METRIC_RETRIES,
        "{attempt}",
        (*WHOSE, names.REASON),
        "Items that a technical failure put back, each time; a match joins several interfaces and names none",
    ),
    _counter(
        names.METRIC_EXCEPTIONS,
        "{exception}",
        (*WHOSE, names.REASON),
        "Failures that a person must look at: refused, quarantined or parked at the gateway, a case at the ledger",
    ),
    _counter(
        names.METRIC_SIGNATURE_FAILURES, "{delivery}", (*WHOSE, names.REASON), "Deliveries not signed as they should be"
    ),
    _counter(
        names.METRIC_AUTHENTICATION_FAILURES,
        "{call}",
        (names.INTERFACE, names.REASON),
        "Calls without a valid identity: nobody's, so neither company nor provider; the interface is the RPC or route",
    ),
    _counter(names.METRIC_MAPPING_FAILURES, "{event}", (*WHOSE, names.REASON), "Events that no document was built of"),
    _counter(
        names.METRIC_UNRESOLVED,
        "{reference}",
        (names.COMPANY, names.REASON),
        "References that masterdata had no answer to, needed or not; it is asked by company, whatever the provider",
    ),
    Figure(
        names.METRIC_QUEUE_DEPTH,
        Kind.GAUGE,
        "{item}",
        (names.QUEUE, *WHOSE),
        "Items that wait, counted up to 100,000; matches name no interface, and an empty queue is 0 of nobody's",
    ),
    Figure(
        names.METRIC_QUEUE_AGE,
        Kind.GAUGE,
        "s",
        (names.QUEUE, *WHOSE),
        "How long ago the oldest item that waits came, however often it was tried",
    ),
    Figure(names.METRIC_LATENCY, Kind.HISTOGRAM, "s", WHOSE, "From receiving an event to its posting in Odoo"),
    Figure(names.METRIC_UNMATCHED, Kind.GAUGE, "{line}", WHOSE, "Statement lines without a match"),
    Figure(
        names.METRIC_ODOO_LATENCY,
        Kind.HISTOGRAM,
        "s",
        (names.COMPANY, names.ODOO_MODEL, names.ODOO_METHOD, names.ODOO_OUTCOME),
        "Calls to Odoo, each for one company's items of any interface: provider and interface never apply",
    ),
    Figure(
        names.METRIC_RPC_LATENCY,
        Kind.HISTOGRAM,
        "s",
        (names.RPC_SERVICE, names.RPC_METHOD, names.RPC_STATUS),
        "gRPC calls served; a call may concern any company",
    ),
    _counter(names.METRIC_SPANS_LOST, "{span}", (), "Spans that were recorded and never arrived"),
    _counter(
        names.METRIC_WORKER_FAILURES,
        "{failure}",
        (names.WORKER, names.REASON),
        "Worker runs that failed; a run takes up items of any company, which the retries name",
    ),
)
FIGURES = {figure.name: figure for figure in _ALL}
