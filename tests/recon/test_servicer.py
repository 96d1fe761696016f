"""Recon over a real channel, and its client of a ledger that streams."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from concord.events.v1 import event_pb2
from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc, match_pb2, posting_pb2
from concord.recon.v1 import match_pb2 as recon_match_pb2
from concord.recon.v1 import recon_pb2, recon_pb2_grpc
from concord.trace.v1 import trace_pb2

from libs.errors import Kind
from libs.handover import NotRecorded, Recorded
from libs.rpc.errors import RemoteError
from libs.rpc.scalars import from_money, from_time
from libs.rpc.server import Registration
from libs.rpc.wire import from_event, from_settlement
from services.recon.adapters.ledger import LedgerClient
from services.recon.domain.learning import LedgerPosting
from services.recon.domain.match import Certificate, Match, MatchSide, MatchState, MatchType
from services.recon.handlers.ports import AppliedState
from services.recon.servicer import ReconServicer
from tests.formats.camt_files import document
from tests.recon.calls import PARENT, ROLES, parts, serving
from tests.recon.world import BANK_ACCOUNT, World, line_entry, money_event, order_event, payout_of


@pytest.fixture
def stub(world: World) -> Iterator[recon_pb2_grpc.ReconServiceStub]:
    recon = world.recon
    servicer = ReconServicer(
        recon.new_uow, recon.import_statement, recon.import_settlement_file, recon.import_settlement, world.clock
    )
    service = recon_pb2.DESCRIPTOR.services_by_name["ReconService"]
    registration = Registration(servicer, recon_pb2_grpc.add_ReconServiceServicer_to_server, service)
    with serving(registration, ROLES) as (_, channel):
        yield recon_pb2_grpc.ReconServiceStub(channel)


def test_a_day_over_the_wire(world: World, stub: recon_pb2_grpc.ReconServiceStub) -> None:
    told = payout_of(world, "po_1001", ("txn_1", 10000, 320))
    settled = stub.ImportSettlement(
        recon_pb2.ImportSettlementRequest(settlement=from_settlement(told), transaction_id=world.ids())
    )
    assert settled.ties
    content = document(line_entry("96.80", "STRIPE po_1001"), line_entry("5.00", "who knows 7777"))
    answer = stub.ImportStatement(parts(world, content))
    assert (answer.lines, answer.duplicate) == (2, False)
    world.run()
    matches = stub.ListMatches(recon_pb2.ListMatchesRequest(parent=PARENT)).matches
    assert sorted(one.type for one in matches) == [1, 2]
    assert all(one.state == recon_match_pb2.Match.STATE_WRITTEN for one in matches)
    differences = stub.ListDifferences(recon_pb2.ListDifferencesRequest(parent=PARENT, page_size=1))
    assert differences.next_page_token
    more = stub.ListDifferences(
        recon_pb2.ListDifferencesRequest(parent=PARENT, page_size=1, page_token=differences.next_page_token)
    )
    found = [*differences.differences, *more.differences]
    assert sorted(one.reason for one in found) == ["NO_CANDIDATE", "PAYMENT_WITHOUT_ORDER"]
    assert not more.next_page_token
    statement = stub.GetStatement(recon_pb2.GetStatementRequest(name=answer.statements[0]))
    assert statement == stub.ListStatements(recon_pb2.ListStatementsRequest(parent=PARENT)).statements[0]
    assert stub.GetSettlement(recon_pb2.GetSettlementRequest(name=settled.name)) == settled
    assert stub.ListSettlements(recon_pb2.ListSettlementsRequest(parent=PARENT)).settlements[0] == settled
    assert stub.GetMatch(recon_pb2.GetMatchRequest(name=matches[0].name)) == matches[0]
    totals = stub.ListControlTotals(trace_pb2.ListControlTotalsRequest(parent=PARENT)).totals
    assert [(one.interface, one.event_count, one.minor_units) for one in totals] == [(f"bank/{BANK_ACCOUNT}", 2, 10180)]


def test_a_charge_is_followed_to_the_bank(world: World, stub: recon_pb2_grpc.ReconServiceStub) -> None:
    told = payout_of(world, "po_1001", ("txn_1", 10000, 320))
    world.recon.import_settlement(told, "", world.ids())
    world.bank_line("96.80", "STRIPE po_1001")
    world.run()
    (charge,) = [one for one in world.ledger.events.values() if one.object_id == "txn_1"]
    request = trace_pb2.ListTransactionStepsRequest(transaction_id=charge.transaction_id)
    steps = stub.ListTransactionSteps(request).steps
    rules = [one.detail for one in steps if one.step == "match_confirmed"]
    assert rules == ["rule payout_transactions_gross_to_net", "rule bank_payout_exact_reference"]
    assert [one.step for one in steps].count("match_written") == 2
    mine = stub.ListMatches(recon_pb2.ListMatchesRequest(parent=PARENT, transaction_id=charge.transaction_id)).matches
    assert [one.type for one in mine] == [recon_match_pb2.Match.TYPE_PAYOUT_TRANSACTIONS]


def test_an_owner_is_given_only_to_what_was_read(world: World, stub: recon_pb2_grpc.ReconServiceStub) -> None:
    world.bank_line("1.00")
    world.run()
    (difference,) = stub.ListDifferences(recon_pb2.ListDifferencesRequest(parent=PARENT)).differences
    request = recon_pb2.AssignDifferenceRequest(name=difference.name, owner="ada", etag=difference.etag)
    assigned = stub.AssignDifference(request)
    assert (assigned.owner, assigned.state) == ("ada", recon_match_pb2.Difference.STATE_ASSIGNED)
    with pytest.raises(RemoteError) as stale:
        stub.AssignDifference(request)
    assert (stale.value.kind, stale.value.reason) == (Kind.STALE, "DIFFERENCE_CHANGED")
    # What changes afterwards keeps the owner.
    world.told(money_event(world, "txn_5", 100))
    world.run()
    kept = stub.ListDifferences(
        recon_pb2.ListDifferencesRequest(parent=PARENT, state=recon_match_pb2.Difference.STATE_ASSIGNED)
    ).differences
    assert [one.owner for one in kept] == ["ada"]


def test_matches_and_differences_are_explained(world: World, stub: recon_pb2_grpc.ReconServiceStub) -> None:
    world.told(order_event(world, "4711", 11900))
    world.bank_line("119.00", "order 4711")
    world.told(order_event(world, "4712", 500))
    world.bank_line("4.00", "order 4712")
    world.run()
    (match,) = stub.ListMatches(recon_pb2.ListMatchesRequest(parent=PARENT)).matches
    trials = stub.Explain(recon_pb2.ExplainRequest(name=match.name)).trials
    held = {one.predicate: one.held for one in trials[-1].predicates}
    assert (trials[-1].rule, trials[-1].matched) == (match.certificate.rule, True)
    assert held == {"currency": True, "amount": True, "reference": True, "date_window": True, "unique": True}
    (difference,) = stub.ListDifferences(recon_pb2.ListDifferencesRequest(parent=PARENT)).differences
    assert difference.reason == "AMOUNT_DIFFERS"
    explained = stub.Explain(recon_pb2.ExplainRequest(name=difference.name))
    assert explained.subject == difference.subject
    assert explained == stub.Explain(recon_pb2.ExplainRequest(name=difference.subject))
    (reference,) = [one for one in explained.trials if one.rule == "bank_invoice_exact_reference"]
    assert [(one.predicate, one.left, one.right) for one in reference.predicates if not one.held] == [
        ("amount", "4.00 EUR", "5.00 EUR")
    ]
    assert reference.candidate == difference.nearest
    # Seen from the invoice it is the same.
    seen = stub.Explain(recon_pb2.ExplainRequest(name=reference.candidate)).trials
    assert [one.matched for one in seen] == [False, False]


def test_a_payout_that_lacks_a_transaction_is_explained_line_by_line(
    world: World, stub: recon_pb2_grpc.ReconServiceStub
) -> None:
    told = payout_of(world, "po_1001", ("txn_1", 10000, 320), ("txn_2", 5000, 0))
    del world.ledger.postings["acme_stripe_acct-5f1_txn-5f2_gross"]
    world.ledger.changes = [one for one in world.ledger.changes if one.event.object_id != "txn_2"]
    name = world.recon.import_settlement(told, "", world.ids()).name
    world.run()
    (trial,) = stub.Explain(recon_pb2.ExplainRequest(name=name)).trials
    assert [one.predicate for one in trial.predicates if not one.held] == ["transaction txn_2"]
    assert not trial.matched


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"company": "acme"}, "header.company"),
        ({"interface": "bank"}, "header.interface"),
        ({"sha256": "abc"}, "header.sha256"),
        ({"transaction_id": "x"}, "header.transaction_id"),
    ],
)
def test_a_header_that_breaks_the_contract_is_refused(
    world: World, stub: recon_pb2_grpc.ReconServiceStub, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        stub.ImportStatement(parts(world, document(line_entry("1.00")), **changes))
    assert (refused.value.reason, refused.value.field) == ("REQUEST_INVALID", field)


@pytest.mark.parametrize(
    ("method", "request_", "reason"),
    [
        ("GetMatch", recon_pb2.GetMatchRequest(name=f"{PARENT}/matches/x"), "MATCH_UNKNOWN"),
        ("GetStatement", recon_pb2.GetStatementRequest(name=f"{PARENT}/statements/x"), "STATEMENT_UNKNOWN"),
        ("GetSettlement", recon_pb2.GetSettlementRequest(name=f"{PARENT}/settlements/x"), "SETTLEMENT_UNKNOWN"),
        ("Explain", recon_pb2.ExplainRequest(name=f"{PARENT}/postings/x"), "EXPLANATION_UNKNOWN"),
        ("Explain", recon_pb2.ExplainRequest(name=f"{PARENT}/differences/x"), "DIFFERENCE_UNKNOWN"),
        ("Explain", recon_pb2.ExplainRequest(name=f"{PARENT}/somethings/x"), "REQUEST_INVALID"),
    ],
)
def test_what_is_not_there_has_its_reason(
    stub: recon_pb2_grpc.ReconServiceStub, method: str, request_: Any, reason: str
) -> None:
    with pytest.raises(RemoteError) as missing:
        getattr(stub, method)(request_)
    assert missing.value.reason == reason


def test_a_file_that_is_no_statement_is_refused_with_the_parsers_reason(
    world: World, stub: recon_pb2_grpc.ReconServiceStub
) -> None:
    with pytest.raises(RemoteError) as refused:
        stub.ImportStatement(parts(world, b"<html/>"))
    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "FORMAT_UNKNOWN")


class StreamingLedger(ledger_pb2_grpc.LedgerServiceServicer):
    """Tells the postings of a fake ledger over the wire, and can break off."""

    def __init__(self, changes: Callable[[], list[LedgerPosting]]) -> None:
        self._changes = changes
        self.break_after: int | None = None
        self.calls: list[str] = []

    def WatchPostings(
        self, request: ledger_pb2.WatchPostingsRequest, context: grpc.ServicerContext
    ) -> Iterator[ledger_pb2.WatchPostingsResponse]:
        self.calls.append(request.resume_token)
        place = int(request.resume_token or "0")
        given = 0
        while context.is_active():
            for number, one in list(enumerate(self._changes(), start=1))[place:]:
                if self.break_after is not None and given >= self.break_after:
                    self.break_after = None
                    context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
                yield ledger_pb2.WatchPostingsResponse(
                    posting=_posting(one), event=from_event(one.event), resume_token=str(number)
                )
                place, given = number, given + 1
            time.sleep(0.01)

    def BatchRecordEvents(
        self, request: ledger_pb2.BatchRecordEventsRequest, context: grpc.ServicerContext
    ) -> ledger_pb2.BatchRecordEventsResponse:
        recorded = ledger_pb2.RecordResult(
            recorded=ledger_pb2.RecordedEvent(event=event_pb2.Event(transaction_id="a" * 32), duplicate=True)
        )
        refused = ledger_pb2.RecordResult(failure=ledger_pb2.RecordFailure(reason="EVENT_CONFLICT"))
        busy = ledger_pb2.RecordResult(failure=ledger_pb2.RecordFailure(reason="STORAGE_CONFLICT"))
        return ledger_pb2.BatchRecordEventsResponse(results=[recorded, refused, busy])

    def ApplyMatch(
        self, request: ledger_pb2.ApplyMatchRequest, context: grpc.ServicerContext
    ) -> match_pb2.AppliedMatch:
        self.calls.append(request.match.anchor)
        return match_pb2.AppliedMatch(
            match=request.match,
            state=match_pb2.AppliedMatch.STATE_WRITTEN,
            write_time=from_time(datetime(2026, 3, 20, tzinfo=UTC)),
        )


def test_the_client_follows_the_stream_from_any_token_and_survives_a_break(world: World) -> None:
    for number in range(5):
        world.ledger.record([order_event(world, f"471{number}", 100)])
    servicer = StreamingLedger(lambda: world.ledger.changes)  # type: ignore[abstract]
    service = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]
    woken = threading.Event()
    registration = Registration(servicer, ledger_pb2_grpc.add_LedgerServiceServicer_to_server, service)
    with serving(registration, ROLES) as (_, channel):
        client = LedgerClient(channel, woken.set)
        servicer.break_after = 4
        read: list[LedgerPosting] = []
        token, broken = "", 0
        ends_at = time.monotonic() + 60
        while len(read) < len(world.ledger.changes) and time.monotonic() < ends_at:
            woken.wait(0.2)
            try:
                for change in client.read_changes("acme", token, 3):
                    read.append(change.posting)
                    token = change.token
            except RemoteError:
                broken += 1
        assert read == world.ledger.changes
        assert broken == 1
        assert servicer.calls == ["", "4"]
        again = client.read_changes("acme", "2", 3)  # a commit that failed: from an earlier token
        while not again and time.monotonic() < ends_at:
            again = client.read_changes("acme", "2", 3)
        assert again[0].token == "3"
        client.close()


def test_the_client_tells_the_ledgers_answers(world: World) -> None:
    servicer = StreamingLedger(list)  # type: ignore[abstract]
    service = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]
    registration = Registration(servicer, ledger_pb2_grpc.add_LedgerServiceServicer_to_server, service)
    with serving(registration, ROLES) as (_, channel):
        client = LedgerClient(channel)
        answers = client.record([order_event(world, "4711", 100)])
        assert answers == [
            Recorded("a" * 32, duplicate=True),
            NotRecorded("EVENT_CONFLICT", retry=False),
            NotRecorded("STORAGE_CONFLICT", retry=True),
        ]
        match = Match(
            name="m",
            company="acme",
            type=MatchType.BANK_PAYOUT,
            state=MatchState.CONFIRMED,
            anchor=MatchSide("a", "SUS", ""),
            members=(MatchSide("b", "TRN", ""),),
            certificate=Certificate("r", "rule", 1, ""),
            created_at=datetime(2026, 3, 20, tzinfo=UTC),
        )
        applied = client.apply_match(match)
        assert (applied.state, applied.written_at) == (AppliedState.WRITTEN, datetime(2026, 3, 20, tzinfo=UTC))
        assert servicer.calls == ["companies/acme/postings/a"]


def _posting(one: LedgerPosting) -> posting_pb2.Posting:
    return posting_pb2.Posting(
        name=f"companies/{one.company}/postings/{one.key}",
        transaction_id=one.transaction_id,
        state=posting_pb2.Posting.State.Value(f"STATE_{one.state.upper()}"),
        reconciliation=posting_pb2.Posting.Reconciliation.Value(f"RECONCILIATION_{one.reconciliation.upper()}"),
        document=posting_pb2.Document(
            type=posting_pb2.Document.Type.Value(f"TYPE_{one.document_type.upper()}"),
            date=one.day.isoformat() if one.day else "",
            lines=[posting_pb2.EntryLine(role=line.role, amount=from_money(line.amount)) for line in one.lines],
        ),
        odoo_number=one.odoo_number,
        etag=str(one.version),
        open_roles=sorted(one.open_roles),
    )
