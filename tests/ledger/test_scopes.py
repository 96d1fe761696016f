"""Attacks on the ledger with tokens that name something else: each finds nothing, and changes nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

import grpc
import pytest
from concord.ledger.v1 import exception_pb2, ledger_pb2, ledger_pb2_grpc
from concord.trace.v1 import trace_pb2

from libs.access import EVERYTHING, NOTHING, AccessScope
from libs.events import CommercialDocument, Direction, Event
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ServerConfig
from libs.rpc.errors import RemoteError
from libs.rpc.identity import IssuedToken, TokenKey, TokenKeys, TokenVerifier
from libs.rpc.server import serve
from libs.rpc.wire import from_event
from libs.storage.group_commit import GroupCommitWriter
from libs.storage.sealer import Sealer
from services.ledger.domain.errors import EventRefused
from services.ledger.domain.event import RecordedEvent
from services.ledger.domain.match import AppliedMatch, AppliedMatchType
from services.ledger.handlers.apply_match import apply_match
from services.ledger.handlers.record_events import IncomingEvent, record_events
from services.ledger.servicer import Broadcast, LedgerServicer, registration
from services.ledger.storage import TABLES
from tests.ledger.domain.books import bank_line
from tests.ledger.events import capture, order
from tests.ledger.world import World

KEYS = TokenKeys([TokenKey.secret("k1", "a-secret-of-the-tests-that-is-long-enough")])
MINE, THEIRS = "a" * 32, "b" * 32
OURS = AccessScope.of(["acme"], ["stripe/acct_1"])

mine = replace(capture("txn_1"), transaction_id=MINE)
of_another_source = replace(
    capture("txn_2"), name="sources/stripe/accounts/acct_2/events/txn_2", transaction_id=THEIRS, references=()
)
of_another_company = replace(capture("txn_3"), company="other", transaction_id="c" * 32)

Stub = ledger_pb2_grpc.LedgerServiceStub
Calling = Callable[..., Stub]


@pytest.fixture
def call_as(world: World) -> Iterator[Calling]:
    """A stub for a caller of roles and scope, on a ledger with events of two companies and of two sources."""
    writer: GroupCommitWriter[IncomingEvent, RecordedEvent | EventRefused] = GroupCommitWriter(
        lambda incoming: record_events(incoming, world.new_uow, world.clock, world.ids)
    )
    servicer = LedgerServicer(world.new_uow, writer, world.clock, Broadcast(), poll_seconds=0.05)
    server = serve(ServerConfig(), [registration(servicer)], TokenVerifier(KEYS))
    channels: list[grpc.Channel] = []

    def call_as(*roles: str, scope: AccessScope = OURS) -> Stub:
        token = IssuedToken(KEYS, "tests", roles, scope)
        channels.append(open_channel(server.address, ChannelConfig(retry=None), token))
        return Stub(channels[-1])

    world.build(mine, of_another_source, of_another_company)
    seal(world)
    yield call_as
    for channel in channels:
        channel.close()
    server.stop(1.0)
    writer.close()


def seal(world: World) -> None:
    sealer = Sealer(world.new_uow, TABLES)
    while sealer.run_once():
        pass


def names_of(world: World, event: Event) -> list[str]:
    return [f"companies/{posting.company}/postings/{posting.key}" for posting in world.postings(event)]


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str, str, str | None]:
    with pytest.raises(RemoteError) as caught:
        call()
    error = caught.value
    return error.code, error.reason, str(error), error.field


def outcome(stub: Stub, event: Event) -> str:
    """`recorded`, or the reason why not: alone and as one of a batch alike."""
    message = from_event(event)
    batch = stub.BatchRecordEvents(ledger_pb2.BatchRecordEventsRequest(events=[message]))
    alone = "recorded"
    try:
        stub.RecordEvent(ledger_pb2.RecordEventRequest(event=message))
    except RemoteError as error:
        alone = error.reason
    assert (batch.results[0].failure.reason or "recorded") == alone
    return alone


def test_what_is_anothers_is_answered_as_what_is_not_there(world: World, call_as: Calling) -> None:
    stub = call_as("partner")
    event = "sources/stripe/accounts/acct_1/events/txn_none"
    unknown = refusal(lambda: stub.GetEvent(ledger_pb2.GetEventRequest(name=event)))
    assert unknown[:2] == (grpc.StatusCode.NOT_FOUND, "EVENT_UNKNOWN")
    for other in (of_another_source, of_another_company):
        asked = ledger_pb2.GetEventRequest(name=other.name)
        assert refusal(functools.partial(stub.GetEvent, asked)) == unknown
    own = names_of(world, mine)[0]
    missing = own.replace("txn", "none")
    unknown = refusal(lambda: stub.GetPosting(ledger_pb2.GetPostingRequest(name=missing)))
    for name in names_of(world, of_another_source) + names_of(world, of_another_company):
        assert refusal(functools.partial(stub.GetPosting, ledger_pb2.GetPostingRequest(name=name))) == unknown
    swapped = names_of(world, of_another_company)[0].replace("companies/other", "companies/acme")
    assert refusal(lambda: stub.GetPosting(ledger_pb2.GetPostingRequest(name=swapped))) == unknown
    assert stub.GetEvent(ledger_pb2.GetEventRequest(name=mine.name)).event.name == mine.name
    assert stub.GetPosting(ledger_pb2.GetPostingRequest(name=own)).name == own


def test_lists_and_totals_hold_the_callers_sources_alone(world: World, call_as: Calling) -> None:
    stub = call_as("partner", "viewer")
    listed = stub.ListPostings(ledger_pb2.ListPostingsRequest(parent="companies/acme")).postings
    assert {posting.event for posting in listed} == {mine.name}
    by_event, by_transaction = ledger_pb2.PostingFilter(), ledger_pb2.PostingFilter(transaction_id=THEIRS)
    by_event.event = of_another_source.name
    for filters in (by_event, by_transaction):
        request = ledger_pb2.ListPostingsRequest(parent="companies/acme", filter=filters)
        assert not stub.ListPostings(request).postings
    totals = stub.ListControlTotals(trace_pb2.ListControlTotalsRequest(parent="companies/acme")).totals
    assert {total.interface for total in totals} == {"stripe/acct_1"}
    other = "companies/other"
    for call in (
        functools.partial(stub.ListPostings, ledger_pb2.ListPostingsRequest(parent=other)),
        functools.partial(stub.ListExceptions, ledger_pb2.ListExceptionsRequest(parent=other)),
        functools.partial(stub.ListControlTotals, trace_pb2.ListControlTotalsRequest(parent=other)),
    ):
        assert refusal(call)[1] == "COMPANY_UNKNOWN"


def test_exceptions_are_of_the_callers_sources_alone(world: World, call_as: Calling) -> None:
    world.masterdata.unknown = {type(ref) for _, refs in world.masterdata.asked for ref in refs}
    second = replace(capture("txn_4"), name="sources/stripe/accounts/acct_2/events/txn_4", references=())
    third = replace(capture("txn_5"), references=())
    world.build(second, third)

    def subjects(scope: AccessScope) -> set[str]:
        request = ledger_pb2.ListExceptionsRequest(parent="companies/acme")
        cases: list[exception_pb2.ExceptionCase] = list(
            call_as("viewer", scope=scope).ListExceptions(request).exceptions
        )
        return {case.subject for case in cases}

    everything, ours = subjects(EVERYTHING), subjects(OURS)
    assert len(everything) > len(ours) > 0
    assert all("acct_2" not in subject and "acct-5f2" not in subject for subject in ours)


def test_a_stream_shows_the_callers_sources_alone_and_its_tokens_are_its_callers(
    world: World, call_as: Calling
) -> None:
    def watched(scope: AccessScope, token: str = "") -> list[ledger_pb2.WatchPostingsResponse]:
        request = ledger_pb2.WatchPostingsRequest(parent="companies/acme", resume_token=token)
        found = []
        try:
            for change in call_as("viewer", scope=scope).WatchPostings(request, timeout=1.0):
                found.append(change)
        except RemoteError as error:
            if error.code is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
        return found

    all_changes, ours = watched(EVERYTHING), watched(OURS)
    assert {change.event.name for change in all_changes} == {mine.name, of_another_source.name}
    assert ours
    assert {change.event.name for change in ours} == {mine.name}
    assert {change.posting.event for change in ours} == {mine.name}
    token = all_changes[0].resume_token
    assert refusal(lambda: watched(OURS, token))[1] == "PAGE_TOKEN_INVALID"
    assert refusal(lambda: watched(EVERYTHING, ours[0].resume_token))[1] == "PAGE_TOKEN_INVALID"
    assert watched(OURS, ours[0].resume_token) == ours[1:]
    assert refusal(lambda: watched(NOTHING))[1] == "COMPANY_UNKNOWN"


def test_a_page_token_is_its_callers(call_as: Calling) -> None:
    request = ledger_pb2.ListPostingsRequest(parent="companies/acme", page_size=1)
    token = call_as("viewer", scope=EVERYTHING).ListPostings(request).next_page_token
    request.page_token = token
    assert token
    assert refusal(lambda: call_as("viewer").ListPostings(request))[1] == "PAGE_TOKEN_INVALID"


def test_a_trace_tells_nothing_of_anothers_transaction(call_as: Calling) -> None:
    def trace(transaction_id: str, scope: AccessScope) -> trace_pb2.ListTransactionStepsResponse:
        request = trace_pb2.ListTransactionStepsRequest(transaction_id=transaction_id)
        answer: trace_pb2.ListTransactionStepsResponse = call_as("viewer", scope=scope).ListTransactionSteps(request)
        return answer

    alias = "d" * 32
    call_as("gateway", scope=EVERYTHING).RecordEvent(
        ledger_pb2.RecordEventRequest(event=from_event(replace(of_another_source, transaction_id=alias)))
    )
    assert trace(alias, EVERYTHING).transaction_id == THEIRS
    for asked in (THEIRS, alias, "e" * 32):
        answer = trace(asked, OURS)
        assert (answer.transaction_id, list(answer.steps)) == (asked, [])
    assert trace(MINE, OURS).steps
    assert not trace(MINE, NOTHING).steps


def test_a_batch_fails_item_by_item(call_as: Calling) -> None:
    events = [
        replace(order("1"), transaction_id=""),
        replace(order("2"), name="sources/shopify/accounts/SHOP-1/events/order_2"),
        replace(order("3"), company="other"),
        replace(capture("txn_9"), name="sources/shopify/accounts/shop-1/events/txn_9"),
        replace(order("4"), transaction_id=THEIRS),
        order("5"),
    ]
    scope = AccessScope.of(["acme"], ["shopify/shop-1"])
    request = ledger_pb2.BatchRecordEventsRequest(events=map(from_event, events))
    results = call_as("partner", scope=scope).BatchRecordEvents(request).results
    assert [result.failure.reason for result in results] == [
        "",
        "SOURCE_UNKNOWN",
        "COMPANY_UNKNOWN",
        "EVENT_KIND_FORBIDDEN",
        "TRANSACTION_ID_TAKEN",
        "",
    ]


def test_money_enters_through_the_service_that_owns_its_source(call_as: Calling) -> None:
    line = replace(bank_line("50000.00"), transaction_id="")
    ours = AccessScope.of(["acme"], [f"{line.provider}/*", "stripe/*", "shopify/*"])
    assert line.provider == "bank"
    assert outcome(call_as("partner", scope=ours), line) == "EVENT_KIND_FORBIDDEN"
    assert outcome(call_as("partner", scope=ours), capture("txn_6")) == "EVENT_KIND_FORBIDDEN"
    assert outcome(call_as("partner", scope=ours), order("6")) == "recorded"
    assert outcome(call_as("gateway", scope=ours), line) == "EVENT_KIND_FORBIDDEN"
    assert outcome(call_as("gateway", scope=ours), capture("txn_6")) == "recorded"
    assert outcome(call_as("recon", scope=ours), order("7")) == "EVENT_KIND_FORBIDDEN"
    bill = order("8")
    assert isinstance(bill.body, CommercialDocument)
    name = bill.name.replace("order", "bill")
    bill = replace(bill, name=name, body=replace(bill.body, direction=Direction.PURCHASE))
    assert outcome(call_as("partner", scope=ours), bill) == "EVENT_KIND_FORBIDDEN"
    assert outcome(call_as("purchasing", scope=ours), bill) == "recorded"
    assert outcome(call_as("purchasing", scope=ours), order("9")) == "EVENT_KIND_FORBIDDEN"
    disguised = replace(line, name="sources/stripe/accounts/acct_1/events/line_1")
    assert outcome(call_as("recon", scope=ours), disguised) == "EVENT_KIND_FORBIDDEN"
    assert outcome(call_as("recon", scope=ours), line) == "recorded"


def test_a_transaction_id_is_not_anothers(call_as: Calling) -> None:
    partner = call_as("gateway", scope=OURS)
    assert outcome(partner, replace(capture("txn_7"), transaction_id=THEIRS)) == "TRANSACTION_ID_TAKEN"
    assert outcome(partner, replace(capture("txn_7"), transaction_id="c" * 32)) == "TRANSACTION_ID_TAKEN"
    # Nor by way of an alias: a repeat that names it, and an id that is an alias of it.
    assert outcome(partner, replace(mine, transaction_id=THEIRS)) == "TRANSACTION_ID_TAKEN"
    alias = "d" * 32
    theirs = call_as("gateway", scope=EVERYTHING)
    assert outcome(theirs, replace(of_another_source, transaction_id=alias)) == "recorded"
    assert outcome(partner, replace(capture("txn_7"), transaction_id=alias)) == "TRANSACTION_ID_TAKEN"
    assert outcome(partner, replace(capture("txn_7"), transaction_id=MINE)) == "recorded"
    # Whoever may touch both sources may join them; nobody joins two companies.
    assert outcome(theirs, replace(capture("txn_8"), transaction_id=THEIRS)) == "recorded"
    assert outcome(theirs, replace(capture("txn_9"), transaction_id="c" * 32)) == "TRANSACTION_ID_TAKEN"


def test_a_match_is_seen_by_who_may_see_all_that_it_joins(world: World, call_as: Calling) -> None:
    name = "companies/acme/matches/m1"
    keys = [world.postings(event)[0].key for event in (mine, of_another_source)]
    match = AppliedMatch(
        name=name,
        company="acme",
        type=AppliedMatchType.PAYOUT_TRANSACTIONS,
        anchor=keys[0],
        members=(keys[1],),
        rule_revision="r1",
        traceparent="",
        applied_by="recon",
        created_at=world.now,
        available_at=world.now,
    )
    apply_match(match, world.new_uow)
    request = ledger_pb2.GetAppliedMatchRequest(name=name)
    unknown = ledger_pb2.GetAppliedMatchRequest(name="companies/acme/matches/none")
    stub = call_as("viewer")
    assert refusal(lambda: stub.GetAppliedMatch(request)) == refusal(lambda: stub.GetAppliedMatch(unknown))
    assert call_as("viewer", scope=EVERYTHING).GetAppliedMatch(request).match.name == name
    both = AccessScope.of(["acme"], ["stripe/*"])
    assert call_as("viewer", scope=both).GetAppliedMatch(request).match.name == name
    steps = trace_pb2.ListTransactionStepsRequest(transaction_id=MINE)
    assert name not in {step.resource for step in stub.ListTransactionSteps(steps).steps}
    assert name in {step.resource for step in call_as("viewer", scope=both).ListTransactionSteps(steps).steps}
    retry = ledger_pb2.RetryMatchRequest(name=name)
    assert refusal(lambda: call_as("operator").RetryMatch(retry))[1] == "MATCH_UNKNOWN"
    foreign = ledger_pb2.ApplyMatchRequest()
    foreign.match.name, foreign.match.anchor = name, f"companies/acme/postings/{keys[1]}"
    assert refusal(lambda: call_as("recon").ApplyMatch(foreign))[1] == "POSTING_UNKNOWN"
