"""The list of figures is what the services give, and the document is the list."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from libs.telemetry import names
from libs.telemetry.catalogue import FIGURES
from libs.telemetry.config import TelemetryConfig
from libs.telemetry.metrics import Metrics, QueueReading, Scope, UnmatchedReading
from libs.telemetry.setup import configure
from scripts import metrics as document
from tests.telemetry.spans import Recorder, scraped

STRIPE = Scope("acme", "stripe", "stripe/main")


def everything(metrics: Metrics) -> None:
    """Each figure once, with every label that it may have."""
    metrics.received(STRIPE)
    metrics.posted(STRIPE, 3.0)
    metrics.duplicate(STRIPE)
    metrics.no_effect(STRIPE)
    metrics.retry(STRIPE, "ODOO_UNAVAILABLE")
    metrics.exception(STRIPE, "ACCOUNT_MISSING")
    metrics.signature_failure(STRIPE, "SIGNATURE_STALE")
    metrics.authentication_failure("/concord.ledger.v1.LedgerService/RecordEvent", "TOKEN_MISSING")
    metrics.mapping_failure(STRIPE, "MAPPING_MISSING")
    metrics.unresolved("acme", "PARTY_UNKNOWN")
    metrics.worker_failure("post", "ODOO_UNAVAILABLE")
    metrics.spans_lost(1)
    metrics.odoo_call(0.1, "account.move", "load", "ok", "acme")
    metrics.rpc_served(0.1, "concord.ledger.v1.LedgerService", "RecordEvent", "OK")
    metrics.watch_queues(lambda: [QueueReading("post", 1, 2.0, STRIPE)])
    metrics.watch_unmatched(lambda: [UnmatchedReading(1, STRIPE)])


def test_every_figure_and_label_is_listed_and_every_listed_one_is_given(recorder: Recorder) -> None:
    everything(recorder.telemetry.metrics)
    listed = {value for name, value in vars(names).items() if name.startswith("METRIC_")}
    assert FIGURES.keys() == listed
    for figure in FIGURES.values():
        (labels,) = recorder.points(figure.name)
        assert {label for label, _ in labels} == set(figure.labels), figure.name


def test_a_scrape_names_them_as_the_list_does() -> None:
    telemetry = configure(TelemetryConfig("ledger", metrics_listen="127.0.0.1:0"))
    everything(telemetry.metrics)
    families = {family.name: family for family in text_string_to_metric_families(scraped(telemetry))}
    telemetry.shutdown()
    for figure in FIGURES.values():
        family = families[figure.prometheus_name.removesuffix("_total")]
        assert (family.type, family.documentation) == (figure.kind.value, figure.description)


def test_the_document_is_written_anew_with_the_list() -> None:
    assert document.DOCUMENT.read_text() == document.render(), "run `python -m scripts.metrics`"


def test_no_service_makes_a_figure_beside_the_list() -> None:
    made = re.compile(r"\.create_(?:observable_)?(?:counter|gauge|histogram|up_down_counter)\(")
    root = document.DOCUMENT.parents[1]
    sources = [path for folder in ("libs", "services") for path in (root / folder).rglob("*.py")]
    assert [path.name for path in sources if made.search(path.read_text())] == ["metrics.py"]
