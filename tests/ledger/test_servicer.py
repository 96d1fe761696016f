"""The ledger over real gRPC: what a stranger with the contract alone sees."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import grpc
import pytest
from concord.events.v1 import event_pb2
from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc, match_pb2, posting_pb2
from concord.trace.v1 import trace_pb2

from libs.access import EVERYTHING
from libs.events import EventKind
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
from services.ledger.handlers.record_events import IncomingEvent, record_events
from services.ledger.servicer import Broadcast, LedgerServicer, registration
from services.ledger.storage import TABLES
from tests.eventually import eventually
from tests.ledger.domain import books
from tests.ledger.events import capture
from tests.ledger.world import World

KEYS = TokenKeys([TokenKey.secret("k1", "a-secret-of-the-tests-that-is-long-enough")])
ROLES = ("gateway", "recon", "operator", "approver")


@dataclass
class Served:
    """A world behind a server."""

    world: World
    address: str
    changes: Broadcast
    channels: list[grpc.Channel]

    def stub(self, subject: str = "gateway") -> ledger_pb2_grpc.LedgerServiceStub:
        token = IssuedToken(KEYS, subject, ROLES, EVERYTHING)
        self.channels.append(open_channel(self.address, ChannelConfig(retry=None), token))
        return ledger_pb2_grpc.LedgerServiceStub(self.channels[-1])

    def seal(self) -> None:
        sealer = Sealer(self.world.new_uow, TABLES)
        while sealer.run_once():
            pass
        self.changes.tell()


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    changes = Broadcast()
    writer: GroupCommitWriter[IncomingEvent, RecordedEvent | EventRefused] = GroupCommitWriter(
        lambda told: record_events(told, world.new_uow, world.clock, world.ids)
    )
    servicer = LedgerServicer(world.new_uow, writer, world.clock, changes, poll_seconds=0.05)
    server = serve(ServerConfig(), [registration(servicer)], TokenVerifier(KEYS))
    found = Served(world, server.address, changes, [])
    yield found
    for channel in found.channels:
        channel.close()
    server.stop(1.0)
    writer.close()


def message(**changes: object) -> event_pb2.Event:
    return from_event(replace(capture(), **changes))  # type: ignore[arg-type]


def test_an_event_is_recorded_built_and_read_back(served: Served) -> None:
    stub = served.stub()
    recorded = stub.RecordEvent(ledger_pb2.RecordEventRequest(event=message()))
    assert (recorded.state, recorded.duplicate) == (ledger_pb2.RecordedEvent.STATE_RECORDED, False)
    assert stub.RecordEvent(ledger_pb2.RecordEventRequest(event=message())).duplicate
    served.world.builder.run_once()
    built = stub.GetEvent(ledger_pb2.GetEventRequest(name=capture().name))
    assert built.state == ledger_pb2.RecordedEvent.STATE_BUILT
    assert built.event.transaction_id == recorded.event.transaction_id
    posting = stub.GetPosting(ledger_pb2.GetPostingRequest(name=built.postings[1]))
    assert (posting.name, posting.state) == (built.postings[1], posting_pb2.Posting.STATE_READY)
    lines = [(line.role, line.amount.minor_units) for line in posting.document.lines]
    assert lines == [("CLR", 10800), ("AR", -10800)]
    assert posting.document.date == "2026-03-14"
    assert posting.mapping_revision == 1


def test_a_receive_time_that_nobody_told_is_not_made_up(served: Served) -> None:
    told = from_event(capture())
    told.provenance.ClearField("receive_time")
    recorded = served.stub().RecordEvent(ledger_pb2.RecordEventRequest(event=told)).event
    assert not recorded.provenance.HasField("receive_time")


def test_a_hundred_and_more_callers_of_one_event_each_share_a_commit(world: World) -> None:
    calls = 128
    commits: list[int] = []

    def record(told: list[IncomingEvent]) -> list[RecordedEvent | EventRefused]:
        # The first commit takes so long that all others have come.
        eventually(lambda: bool(commits) or recorder.waiting >= calls - len(told))
        commits.append(len(told))
        return record_events(told, world.new_uow, world.clock, world.ids)

    with GroupCommitWriter(record) as recorder:
        servicer = LedgerServicer(world.new_uow, recorder, world.clock, Broadcast())
        server = serve(ServerConfig(), [registration(servicer)], TokenVerifier(KEYS))
        with open_channel(
            server.address, ChannelConfig(retry=None), IssuedToken(KEYS, "gateway", ROLES, EVERYTHING)
        ) as channel:
            stub = ledger_pb2_grpc.LedgerServiceStub(channel)
            requests = [
                ledger_pb2.RecordEventRequest(event=from_event(capture(f"txn_{number}"))) for number in range(calls)
            ]
            with ThreadPoolExecutor(calls) as pool:
                answers = list(pool.map(stub.RecordEvent, requests))
        server.stop(1.0)
    assert not any(answer.duplicate for answer in answers)
    assert sum(commits) == calls
    assert len(commits) == 2


def test_a_batch_answers_item_by_item(served: Served) -> None:
    stub = served.stub()
    stub.RecordEvent(ledger_pb2.RecordEventRequest(event=message()))
    bad = message()
    bad.amount.currency_code = "XXZ"
    events = [capture("txn_2"), capture(), capture(gross="109.00")]
    request = ledger_pb2.BatchRecordEventsRequest(events=[*map(from_event, events), bad])
    fresh, again, conflict, refused = stub.BatchRecordEvents(request).results
    assert (fresh.recorded.duplicate, again.recorded.duplicate) == (False, True)
    assert conflict.failure.reason == "EVENT_CONFLICT"
    assert refused.failure.reason == "CURRENCY_UNKNOWN"
    assert served.world.buckets() == {"pending": 2}


def test_a_conflict_is_an_error_that_names_both_digests(served: Served) -> None:
    stub = served.stub()
    first = stub.RecordEvent(ledger_pb2.RecordEventRequest(event=message()))
    with pytest.raises(RemoteError) as conflict:
        stub.RecordEvent(ledger_pb2.RecordEventRequest(event=from_event(capture(gross="109.00"))))
    assert (conflict.value.code, conflict.value.reason) == (grpc.StatusCode.ALREADY_EXISTS, "EVENT_CONFLICT")
    assert conflict.value.metadata["known"] == first.digest


@pytest.mark.parametrize(
    ("method", "request_message", "reason"),
    [
        ("GetEvent", ledger_pb2.GetEventRequest(name="sources/a/accounts/b/events/c"), "EVENT_UNKNOWN"),
        ("GetPosting", ledger_pb2.GetPostingRequest(name="companies/acme/postings/x"), "POSTING_UNKNOWN"),
        ("GetPosting", ledger_pb2.GetPostingRequest(name="postings/x"), "REQUEST_INVALID"),
        ("RetryMatch", ledger_pb2.RetryMatchRequest(name="companies/acme/matches/m"), "MATCH_UNKNOWN"),
        ("GetAppliedMatch", ledger_pb2.GetAppliedMatchRequest(name="companies/acme/matches/m"), "MATCH_UNKNOWN"),
        ("ListPostings", ledger_pb2.ListPostingsRequest(parent="acme"), "REQUEST_INVALID"),
        ("ListPostings", ledger_pb2.ListPostingsRequest(parent="companies/acme", page_token="x"), "PAGE_TOKEN_INVALID"),
        ("BatchRecordEvents", ledger_pb2.BatchRecordEventsRequest(), "REQUEST_INVALID"),
        ("RetryPosting", ledger_pb2.RetryPostingRequest(name="companies/a/postings/b"), "REQUEST_INVALID"),
        ("ListTransactionSteps", trace_pb2.ListTransactionStepsRequest(transaction_id="x"), "REQUEST_INVALID"),
        (
            "ApplyMatch",
            ledger_pb2.ApplyMatchRequest(match=match_pb2.Match(name="companies/acme/matches/m")),
            "REQUEST_INVALID",
        ),
    ],
)  # fmt: skip
def test_what_contradicts_the_contract_is_refused_with_a_stable_reason(
    served: Served, method: str, request_message: object, reason: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        getattr(served.stub(), method)(request_message)
    assert refused.value.reason == reason


def test_lists_go_on_where_their_token_says(served: Served) -> None:
    stub = served.stub()
    served.world.build(capture(), capture("txn_2"))
    request = ledger_pb2.ListPostingsRequest(parent="companies/acme", page_size=3)
    first = stub.ListPostings(request)
    request.page_token = first.next_page_token
    second = stub.ListPostings(request)
    assert (len(first.postings), len(second.postings), second.next_page_token) == (3, 1, "")
    other = ledger_pb2.ListPostingsRequest(parent="companies/other", page_token=first.next_page_token)
    with pytest.raises(RemoteError, match="token"):
        stub.ListPostings(other)


def test_the_maker_cannot_approve_and_another_can(served: Served) -> None:
    served.world.masterdata.company = replace(books.COMPANY, approval_above=1)
    maker, second = served.stub("people/ada"), served.stub("people/bob")
    maker.RecordEvent(ledger_pb2.RecordEventRequest(event=message()))
    served.world.builder.run_once()
    posting = maker.ListPostings(ledger_pb2.ListPostingsRequest(parent="companies/acme")).postings[0]
    request = ledger_pb2.ApprovePostingRequest(
        name=posting.name, content_digest=posting.content_digest, request_id=str(uuid.uuid4())
    )
    with pytest.raises(RemoteError) as refused:
        maker.ApprovePosting(request)
    assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.PERMISSION_DENIED, "APPROVER_IS_MAKER")
    approved = second.ApprovePosting(request)
    assert (approved.state, approved.approved_by) == (posting_pb2.Posting.STATE_READY, "people/bob")
    assert second.ApprovePosting(request) == approved


def test_a_match_is_accepted_once_and_names_its_transactions(served: Served) -> None:
    stub = served.stub("recon")
    one, two = served.world.build(books.money(EventKind.PAYOUT, "-10.00", txn="txn_p"), capture())[:2]
    match = match_pb2.Match(
        name="companies/acme/matches/m1",
        type=match_pb2.Match.TYPE_PAYOUT_TRANSACTIONS,
        anchor=one.name,
        members=[two.name],
    )
    applied = stub.ApplyMatch(ledger_pb2.ApplyMatchRequest(match=match))
    assert applied.state == match_pb2.AppliedMatch.STATE_PENDING
    assert set(applied.transaction_ids) == {one.transaction_id, two.transaction_id}
    assert stub.ApplyMatch(ledger_pb2.ApplyMatchRequest(match=match)) == applied
    assert stub.GetAppliedMatch(ledger_pb2.GetAppliedMatchRequest(name=match.name)) == applied
    match.members[0] = one.name
    with pytest.raises(RemoteError) as conflict:
        stub.ApplyMatch(ledger_pb2.ApplyMatchRequest(match=match))
    assert conflict.value.reason == "MATCH_CONFLICT"


def test_a_watcher_resumes_where_it_stopped_and_is_woken_by_what_is_new(served: Served) -> None:
    stub = served.stub()
    served.world.build(capture())
    served.seal()
    stream = stub.WatchPostings(ledger_pb2.WatchPostingsRequest(parent="companies/acme"))
    first = next(stream)
    stream.cancel()
    request = ledger_pb2.WatchPostingsRequest(parent="companies/acme", resume_token=first.resume_token)
    resumed = stub.WatchPostings(request)
    assert next(resumed).posting.name != first.posting.name

    def post() -> None:
        served.world.post()
        served.seal()

    poster = threading.Thread(target=post)
    poster.start()
    states = [next(resumed).posting.state for _ in range(4)]
    poster.join()
    resumed.cancel()
    assert states.count(posting_pb2.Posting.STATE_POSTED) == 2
    assert first.event.name == capture().name


def test_steps_totals_and_exceptions_are_told(served: Served) -> None:
    stub = served.stub()
    (posting, _) = served.world.build(capture())
    request = trace_pb2.ListTransactionStepsRequest(transaction_id=posting.transaction_id, page_size=1)
    first = stub.ListTransactionSteps(request)
    assert [one.step for one in first.steps] == ["recorded"]
    rest = stub.ListTransactionSteps(
        trace_pb2.ListTransactionStepsRequest(
            transaction_id=posting.transaction_id, page_size=9, page_token=first.next_page_token
        )
    )
    assert rest.steps[0].step == "validated"
    assert not rest.next_page_token
    totals = stub.ListControlTotals(trace_pb2.ListControlTotalsRequest(parent="companies/acme")).totals
    assert [(one.bucket, one.event_count, one.minor_units) for one in totals] == [("pending", 1, 10800)]
    exceptions = stub.ListExceptions(ledger_pb2.ListExceptionsRequest(parent="companies/acme")).exceptions
    assert list(exceptions) == []
