"""What became of the day, read from the services and from Odoo, and held against the independent count."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from concord.events.v1 import event_pb2
from concord.gateway.v1 import gateway_pb2_grpc
from concord.ledger.v1 import exception_pb2, ledger_pb2, ledger_pb2_grpc, posting_pb2
from concord.recon.v1 import match_pb2, recon_pb2, recon_pb2_grpc
from concord.trace.v1 import trace_pb2

from cli.connection import Connection
from libs.odoo.port import Odoo
from sandbox.chart import PLAN

from .company import COMPANY

HASH_MODULUS = 2**256
WITHOUT_ORDER = "PAYMENT_WITHOUT_ORDER"
OF_BANK_LINES = ("NO_CANDIDATE", "AMBIGUOUS", "AMOUNT_DIFFERS", "UNPROVED")  # why recon leaves a line on suspense
Totals = dict[tuple[str, str], tuple[int, int, int]]  # (interface, currency) → events, minor units, hash of names


@dataclass(frozen=True, slots=True)
class Control:
    """A balance in the books that must be what somebody else says, in company currency."""

    account: str
    books: Decimal
    other: str
    elsewhere: Decimal

    @property
    def holds(self) -> bool:
        return self.books == self.elsewhere


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that the report tells."""

    postings: list[posting_pb2.Posting]
    events: Mapping[str, event_pb2.Event]
    exceptions: list[exception_pb2.ExceptionCase]
    matches: list[match_pb2.Match]
    differences: list[match_pb2.Difference]
    handed_on: Totals
    accounted: Totals
    by_bucket: Mapping[str, Totals]
    balance: Mapping[str, Decimal]
    expected: Mapping[str, Decimal]

    @property
    def books_agree(self) -> bool:
        return dict(self.balance) == dict(self.expected)

    @property
    def is_complete(self) -> bool:
        """Count, money and the set of names agree on every interface and currency."""
        return self.handed_on == self.accounted

    @property
    def buckets(self) -> dict[str, int]:
        """How many events are in each bucket that has any, the finished ones first."""
        names = sorted(self.by_bucket, key=lambda name: (name != "posted", name))
        return {name: sum(count for count, _, _ in self.by_bucket[name].values()) for name in names}

    def controls(self, provider_balance: Decimal) -> list[Control]:
        """What a close proves first: each control account is explained to the cent."""
        nothing = Decimal(0)
        unexplained = self._listed(lambda difference: difference.reason in OF_BANK_LINES)
        unclaimed = self._listed(lambda difference: difference.reason == WITHOUT_ORDER)
        return [
            Control(
                "Provider clearing", self.balance.get("CLR", nothing), "the provider's own balance", provider_balance
            ),
            Control("Payouts in transit", self.balance.get("TRN", nothing), "payouts not yet in the bank", nothing),
            Control(
                "Bank suspense", -self.balance.get("SUS", nothing), "bank lines listed as differences", unexplained
            ),
            Control(
                "Receivable, unapplied", -self.balance.get("AR", nothing), "payments listed without an order", unclaimed
            ),
        ]

    def _listed(self, asked: Callable[[match_pb2.Difference], bool]) -> Decimal:
        return sum(
            (Decimal(difference.amount.minor_units) / 100 for difference in self.differences if asked(difference)),
            Decimal(0),
        )

    def latencies(self) -> list[float]:
        """Seconds from receipt at the edge to posted in Odoo, of each document, sorted."""
        found = []
        for posting in self.postings:
            event = self.events.get(posting.event)
            if event is not None and posting.HasField("post_time") and event.provenance.HasField("receive_time"):
                received = event.provenance.receive_time.ToDatetime()
                found.append((posting.post_time.ToDatetime() - received).total_seconds())
        return sorted(found)

    def median_latency(self) -> float:
        found = self.latencies()
        return statistics.median(found) if found else 0.0


def gather(
    connection: Connection, odoo: Odoo, expected: Mapping[str, Decimal], before: Mapping[str, Decimal] | None = None
) -> Findings:
    """Ask everybody. `before` is what stood in the books before the day: in a real Odoo there is more than one day."""
    with connection.channel("ledger", ("auditor",)) as channel:
        ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        listed = ledger.ListPostings(ledger_pb2.ListPostingsRequest(parent=COMPANY, page_size=1000)).postings
        names = sorted({posting.event for posting in listed})
        events = {name: ledger.GetEvent(ledger_pb2.GetEventRequest(name=name)).event for name in names}
        cases = ledger.ListExceptions(ledger_pb2.ListExceptionsRequest(parent=COMPANY, page_size=1000)).exceptions
        accounted = _totals(ledger)
    with connection.channel("recon", ("auditor",)) as channel:
        recon = recon_pb2_grpc.ReconServiceStub(channel)
        matches = recon.ListMatches(recon_pb2.ListMatchesRequest(parent=COMPANY, page_size=1000)).matches
        found = recon.ListDifferences(recon_pb2.ListDifferencesRequest(parent=COMPANY, page_size=1000)).differences
        handed_on = _totals(recon)
    with connection.channel("gateway", ("auditor",)) as channel:
        handed_on += _totals(gateway_pb2_grpc.GatewayServiceStub(channel))
    found_in: defaultdict[str, list[trace_pb2.ControlTotal]] = defaultdict(list)
    for total in accounted:
        found_in[total.bucket].append(total)
    by_bucket = {bucket: _summed(totals) for bucket, totals in sorted(found_in.items())}
    return Findings(
        postings=list(listed),
        events=events,
        exceptions=[case for case in cases if case.state == exception_pb2.ExceptionCase.STATE_OPEN],
        matches=list(matches),
        differences=[difference for difference in found if difference.state != match_pb2.Difference.STATE_RESOLVED],
        handed_on=_summed(handed_on),
        accounted=_summed(accounted),
        by_bucket={bucket: totals for bucket, totals in by_bucket.items() if totals},
        balance=_grown(before or {}, posted_balances(odoo)),
        expected=expected,
    )


def posted_balances(odoo: Odoo) -> dict[str, Decimal]:
    """Net balance by role of all that is posted in Odoo, zeros left out."""
    accounts = odoo.execute("account.account", "search_read", [[], ["code"]])
    role_of_code = {spec.code: spec.role for spec in PLAN.accounts}
    roles = {int(account["id"]): role_of_code.get(str(account["code"]), str(account["code"])) for account in accounts}
    posted = [["parent_state", "=", "posted"]]
    lines = odoo.execute("account.move.line", "search_read", [posted, ["account_id", "balance"]])
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line["account_id"]:
            sums[roles[int(line["account_id"][0])]] += Decimal(repr(line["balance"])).quantize(Decimal("0.01"))
    return {role: amount for role, amount in sorted(sums.items()) if amount}


def _grown(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> dict[str, Decimal]:
    roles = sorted(before.keys() | after.keys())
    grown = {role: after.get(role, Decimal(0)) - before.get(role, Decimal(0)) for role in roles}
    return {role: amount for role, amount in grown.items() if amount}


def _totals(stub: Any) -> list[trace_pb2.ControlTotal]:
    answer = stub.ListControlTotals(trace_pb2.ListControlTotalsRequest(parent=COMPANY, page_size=1000))
    return list(answer.totals)


def _summed(totals: Iterable[trace_pb2.ControlTotal]) -> Totals:
    sums: Totals = {}
    for total in totals:
        key = (total.interface, total.currency_code)
        count, units, names = sums.get(key, (0, 0, 0))
        hashed = (names + int(total.name_set_hash or "0", 16)) % HASH_MODULUS
        sums[key] = (count + total.event_count, units + total.minor_units, hashed)
    return {key: value for key, value in sorted(sums.items()) if value != (0, 0, 0)}
