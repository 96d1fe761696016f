"""Attacks on recon with tokens that name something else."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import grpc
import pytest
from concord.recon.v1 import recon_pb2, recon_pb2_grpc
from concord.trace.v1 import trace_pb2

from libs.access import EVERYTHING, NOTHING, AccessScope
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig
from libs.rpc.errors import RemoteError
from libs.rpc.identity import IssuedToken
from libs.rpc.wire import from_settlement
from services.recon.servicer import ReconServicer, registration
from tests.formats.camt_files import document
from tests.recon.calls import KEYS, PARENT, parts, serving
from tests.recon.world import BANK_ACCOUNT, World, line_entry, payout_of

BANK = AccessScope.of(["acme"], [f"bank/{BANK_ACCOUNT}"])
STRIPE = AccessScope.of(["acme"], ["stripe/acct_1"])
BOTH = AccessScope.of(["acme"], [*BANK.sources, *STRIPE.sources])
ELSEWHERE = AccessScope.of(["other"], ["*"])

Stub = recon_pb2_grpc.ReconServiceStub
Calling = Callable[[AccessScope], Stub]


@pytest.fixture
def call_as(world: World) -> Iterator[Calling]:
    """A stub for a caller of a scope; a payout is matched with its charge and the bank, and a bank line with nothing."""
    recon = world.recon
    servicer = ReconServicer(
        recon.new_uow, recon.import_statement, recon.import_settlement_file, recon.import_settlement, world.clock
    )
    recon.import_settlement(payout_of(world, "po_1001", ("txn_1", 10000, 320)), "", world.ids())
    world.bank_line("96.80", "STRIPE po_1001")
    world.bank_line("5.00", "who knows 7777")
    world.run()
    roles = ("accountant", "approver")
    with serving(registration(servicer), roles) as (server, _):
        channels = []

        def call_as(scope: AccessScope) -> Stub:
            token = IssuedToken(KEYS, "tests", roles, scope)
            channels.append(open_channel(server.address, ChannelConfig(retry=None), token))
            return Stub(channels[-1])

        yield call_as
        for channel in channels:
            channel.close()


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, str, str | None]:
    with pytest.raises(RemoteError) as caught:
        call()
    error = caught.value
    return error.code, error.reason, str(error), error.field


def listed(stub: Stub) -> tuple[int, int, int, set[str]]:
    """How many statements, settlements and matches there are, and the reasons of the differences."""
    return (
        len(stub.ListStatements(recon_pb2.ListStatementsRequest(parent=PARENT)).statements),
        len(stub.ListSettlements(recon_pb2.ListSettlementsRequest(parent=PARENT)).settlements),
        len(stub.ListMatches(recon_pb2.ListMatchesRequest(parent=PARENT)).matches),
        {one.reason for one in stub.ListDifferences(recon_pb2.ListDifferencesRequest(parent=PARENT)).differences},
    )


def test_lists_hold_what_the_caller_may_see(call_as: Calling) -> None:
    everything = listed(call_as(EVERYTHING))
    assert everything == (2, 1, 2, {"NO_CANDIDATE", "PAYMENT_WITHOUT_ORDER"})
    assert listed(call_as(BOTH)) == everything
    assert listed(call_as(BANK)) == (2, 0, 0, {"NO_CANDIDATE"})
    # What the bank's line is matched with tells of the bank's line.
    assert listed(call_as(STRIPE)) == (0, 1, 1, {"PAYMENT_WITHOUT_ORDER"})
    for scope in (ELSEWHERE, NOTHING):
        assert refusal(functools.partial(listed, call_as(scope)))[1] == "COMPANY_UNKNOWN"


def test_what_is_anothers_is_answered_as_what_is_not_there(call_as: Calling) -> None:
    stub, all_seeing = call_as(STRIPE), call_as(EVERYTHING)
    statement = all_seeing.ListStatements(recon_pb2.ListStatementsRequest(parent=PARENT)).statements[0].name
    matches = all_seeing.ListMatches(recon_pb2.ListMatchesRequest(parent=PARENT)).matches
    (banked,) = [match.name for match in matches if match.type == match.TYPE_BANK_PAYOUT]
    differences = all_seeing.ListDifferences(recon_pb2.ListDifferencesRequest(parent=PARENT)).differences
    (line,) = [one for one in differences if one.reason == "NO_CANDIDATE"]
    none = f"{PARENT}/{{}}/none"

    def get(name: str) -> object:
        collection = name.split("/")[2]
        if collection == "statements":
            return stub.GetStatement(recon_pb2.GetStatementRequest(name=name))
        if collection == "matches":
            return stub.GetMatch(recon_pb2.GetMatchRequest(name=name))
        return stub.AssignDifference(recon_pb2.AssignDifferenceRequest(name=name, owner="eve", etag=line.etag))

    for name in (statement, banked, line.name):
        unknown = none.format(name.split("/")[2])
        assert refusal(functools.partial(get, name)) == refusal(functools.partial(get, unknown))
    bank = call_as(BANK)
    settlement = f"{PARENT}/settlements/po_1001"
    assert refusal(lambda: bank.GetSettlement(recon_pb2.GetSettlementRequest(name=settlement))) == refusal(
        lambda: bank.GetSettlement(recon_pb2.GetSettlementRequest(name=none.format("settlements")))
    )
    decided = recon_pb2.ResolveDifferenceRequest(
        name=line.name, why="mine now", etag=line.etag, request_id="0e0e0e0e-0e0e-4e0e-8e0e-0e0e0e0e0e0e"
    )
    assert refusal(lambda: stub.ResolveDifference(decided))[1] == "DIFFERENCE_UNKNOWN"
    explained = recon_pb2.ExplainRequest(name=line.subject)
    assert refusal(lambda: stub.Explain(explained))[1] == "POSTING_UNKNOWN"
    assert bank.Explain(explained).subject == line.subject
    shown = {trial.candidate for trial in bank.Explain(explained).trials}
    assert not [candidate for candidate in shown if "stripe" in candidate]


def test_a_trace_and_totals_tell_of_the_callers_sources(world: World, call_as: Calling) -> None:
    (charge,) = [one for one in world.ledger.events.values() if one.object_id == "txn_1"]
    request = trace_pb2.ListTransactionStepsRequest(transaction_id=charge.transaction_id)

    def rules(scope: AccessScope) -> list[str]:
        return [one.detail for one in call_as(scope).ListTransactionSteps(request).steps if "rule" in one.detail]

    assert len(rules(EVERYTHING)) == len(rules(BOTH)) == 2
    assert rules(STRIPE) == ["rule payout_transactions_gross_to_net"]
    assert rules(BANK) == rules(ELSEWHERE) == rules(NOTHING) == []
    totals = trace_pb2.ListControlTotalsRequest(parent=PARENT)
    assert {one.interface for one in call_as(BANK).ListControlTotals(totals).totals} == set(BANK.sources)
    assert not call_as(STRIPE).ListControlTotals(totals).totals


def test_a_page_token_is_its_callers(call_as: Calling) -> None:
    request = recon_pb2.ListStatementsRequest(parent=PARENT, page_size=1)
    request.page_token = call_as(EVERYTHING).ListStatements(request).next_page_token
    assert request.page_token
    assert refusal(lambda: call_as(BANK).ListStatements(request))[1] == "PAGE_TOKEN_INVALID"


def test_a_file_is_for_its_senders_account_and_holds_no_other(world: World, call_as: Calling) -> None:
    content = document(line_entry("50000.00", "a gift"))
    assert refusal(lambda: call_as(STRIPE).ImportStatement(parts(world, content)))[1] == "SOURCE_UNKNOWN"
    other_company = parts(world, content, company="companies/other")
    assert refusal(lambda: call_as(BANK).ImportStatement(other_company))[1] == "COMPANY_UNKNOWN"
    # The header names an account of the sender's; the statement within is another's.
    disguised = AccessScope.of(["acme"], ["bank/MINE"])
    sent = parts(world, content, interface="bank/MINE")
    assert refusal(lambda: call_as(disguised).ImportStatement(sent))[1] == "SOURCE_UNKNOWN"
    file = world.ids()
    assert call_as(BANK).ImportStatement(parts(world, content, transaction_id=file)).lines == 1
    steps = trace_pb2.ListTransactionStepsRequest(transaction_id=file)
    assert {step.step for step in call_as(BANK).ListTransactionSteps(steps).steps} == {"file_imported"}
    assert not call_as(STRIPE).ListTransactionSteps(steps).steps
    told = from_settlement(payout_of(world, "po_7", ("txn_7", 100, 1)))
    request = recon_pb2.ImportSettlementRequest(settlement=told, transaction_id=world.ids())
    assert refusal(lambda: call_as(BANK).ImportSettlement(request))[1] == "SOURCE_UNKNOWN"
    assert refusal(lambda: call_as(ELSEWHERE).ImportSettlement(request))[1] == "SETTLEMENT_UNKNOWN"
