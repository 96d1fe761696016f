"""The ledger over gRPC: decode, call, encode."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import grpc
from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc, match_pb2, posting_pb2
from concord.trace.v1 import trace_pb2

from libs.errors import ConcordError
from libs.events import Clock, Event
from libs.rpc.deadlines import seconds_left, stream_may_go_on
from libs.rpc.identity import current_identity, current_scope
from libs.rpc.pages import Page, filters_of
from libs.rpc.server import Registration
from libs.storage.group_commit import CALL_TIMEOUT_SECONDS, Writer
from libs.telemetry.context import traceparent_of
from libs.trail import wire as trail

from . import wire
from .domain.errors import EventRefused
from .domain.event import RecordedEvent
from .handlers.apply_match import apply_match, get_applied_match, retry_match
from .handlers.decide_posting import approve_posting, reject_posting, retry_posting
from .handlers.read_postings import get_event, get_posting, list_exceptions, list_postings
from .handlers.record_events import IncomingEvent
from .handlers.watch_postings import watch_postings
from .storage.uow import NewUow

Recorder = Writer[IncomingEvent, RecordedEvent | EventRefused]


class Broadcast:
    """Where watchers wait, and what wakes them all."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def wait(self, timeout_seconds: float) -> None:
        """Until `tell`, or for so long."""
        with self._condition:
            self._condition.wait(timeout_seconds)

    def tell(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def after(self, run_once: Callable[[], int]) -> Callable[[], int]:
        """A run that tells once it has done something."""

        def run() -> int:
            done = run_once()
            if done:
                self.tell()
            return done

        return run


class LedgerServicer(ledger_pb2_grpc.LedgerServiceServicer):
    """`recorder` commits by the group; `changes` wakes watchers, who look by themselves every `poll_seconds`."""

    def __init__(
        self, new_uow: NewUow, recorder: Recorder, clock: Clock, changes: Broadcast, *, poll_seconds: float = 0.5
    ) -> None:
        self._new_uow = new_uow
        self._recorder = recorder
        self._clock = clock
        self._changes = changes
        self._poll_seconds = poll_seconds

    def RecordEvent(
        self, request: ledger_pb2.RecordEventRequest, context: grpc.ServicerContext
    ) -> ledger_pb2.RecordedEvent:
        answer = self._recorder.call(_incoming(wire.to_checked_event(request.event, current_identity())), _patience())
        if isinstance(answer, ConcordError):
            raise answer
        return wire.from_recorded(answer)

    def BatchRecordEvents(
        self, request: ledger_pb2.BatchRecordEventsRequest, context: grpc.ServicerContext
    ) -> ledger_pb2.BatchRecordEventsResponse:
        return wire.from_results(self._record(wire.to_events(request, current_identity())))

    def GetEvent(self, request: ledger_pb2.GetEventRequest, context: grpc.ServicerContext) -> ledger_pb2.RecordedEvent:
        return wire.from_recorded(get_event(request.name, current_scope(), self._new_uow))

    def GetPosting(self, request: ledger_pb2.GetPostingRequest, context: grpc.ServicerContext) -> posting_pb2.Posting:
        return wire.from_posting(get_posting(*wire.to_posting_key(request.name), self._new_uow))

    def ListPostings(  # type: ignore[override]  # the response, serialized already
        self, request: ledger_pb2.ListPostingsRequest, context: grpc.ServicerContext
    ) -> bytes:
        page = Page.of(request)
        part = list_postings(wire.to_query(request, current_scope()), page.size, page.after, self._new_uow)
        return page.finished_answer(ledger_pb2.ListPostingsResponse, part, wire.from_listed)

    def WatchPostings(
        self, request: ledger_pb2.WatchPostingsRequest, context: grpc.ServicerContext
    ) -> Iterator[ledger_pb2.WatchPostingsResponse]:
        binding = filters_of(request)
        changes = watch_postings(
            *wire.to_watch(request),
            current_scope(),
            self._new_uow,
            may_go_on=lambda: stream_may_go_on(context),
            wait=lambda: self._changes.wait(self._poll_seconds),
        )
        for change in changes:
            yield wire.from_change(change, binding)

    def ApprovePosting(
        self, request: ledger_pb2.ApprovePostingRequest, context: grpc.ServicerContext
    ) -> posting_pb2.Posting:
        return wire.from_posting(
            approve_posting(wire.to_decision(request, _caller(), "content_digest"), self._new_uow, self._clock)
        )

    def RejectPosting(
        self, request: ledger_pb2.RejectPostingRequest, context: grpc.ServicerContext
    ) -> posting_pb2.Posting:
        return wire.from_posting(
            reject_posting(wire.to_decision(request, _caller(), "why"), self._new_uow, self._clock)
        )

    def RetryPosting(
        self, request: ledger_pb2.RetryPostingRequest, context: grpc.ServicerContext
    ) -> posting_pb2.Posting:
        return wire.from_posting(retry_posting(wire.to_decision(request, _caller()), self._new_uow, self._clock))

    def ApplyMatch(
        self, request: ledger_pb2.ApplyMatchRequest, context: grpc.ServicerContext
    ) -> match_pb2.AppliedMatch:
        return wire.from_match(apply_match(wire.to_match(request, _caller(), self._clock()), self._new_uow))

    def GetAppliedMatch(
        self, request: ledger_pb2.GetAppliedMatchRequest, context: grpc.ServicerContext
    ) -> match_pb2.AppliedMatch:
        return wire.from_match(get_applied_match(wire.to_match_name(request.name), current_scope(), self._new_uow))

    def RetryMatch(
        self, request: ledger_pb2.RetryMatchRequest, context: grpc.ServicerContext
    ) -> match_pb2.AppliedMatch:
        name = wire.to_match_name(request.name)
        return wire.from_match(retry_match(name, _caller(), current_scope(), self._new_uow, self._clock))

    def ListExceptions(
        self, request: ledger_pb2.ListExceptionsRequest, context: grpc.ServicerContext
    ) -> ledger_pb2.ListExceptionsResponse:
        page, company, state = Page.of(request), wire.to_company(request.parent), wire.to_case_state(request)
        part = list_exceptions(company, state, current_scope(), page.size, page.after, self._new_uow)
        return page.answer(ledger_pb2.ListExceptionsResponse(), part, wire.from_case)

    def ListTransactionSteps(
        self, request: trace_pb2.ListTransactionStepsRequest, context: grpc.ServicerContext
    ) -> trace_pb2.ListTransactionStepsResponse:
        with self._new_uow(read_only=True) as uow:
            return trail.list_transaction_steps(request, uow.trail, "ledger", current_scope())

    def ListControlTotals(
        self, request: trace_pb2.ListControlTotalsRequest, context: grpc.ServicerContext
    ) -> trace_pb2.ListControlTotalsResponse:
        with self._new_uow(read_only=True) as uow:
            return trail.list_control_totals(request, uow.trail, current_scope())

    def _record(self, items: list[Event | ConcordError]) -> list[RecordedEvent | ConcordError]:
        """An answer an item, in order. A technical failure fails the call: all of it may be sent again."""
        incoming = [_incoming(item) for item in items if isinstance(item, Event)]
        answers = iter(self._recorder.submit_many(incoming).result(_patience()) if incoming else [])
        results: list[RecordedEvent | ConcordError] = []
        for item in items:
            if not isinstance(item, Event):  # what the caller may not bring is as final as what is no event
                results.append(item)
                continue
            answer = next(answers)
            if not isinstance(answer, RecordedEvent | ConcordError):
                raise answer
            if isinstance(answer, ConcordError) and answer.kind.is_technical:
                raise answer
            results.append(answer)
        return results


def registration(servicer: LedgerServicer) -> Registration:
    """What a server is given."""
    service = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]
    add = ledger_pb2_grpc.add_LedgerServiceServicer_to_server
    return Registration(servicer, add, service, waiting=frozenset({"RecordEvent"}))


def _incoming(event: Event) -> IncomingEvent:
    return IncomingEvent(event, _caller(), traceparent_of(), current_scope())


def _caller() -> str:
    """The caller's subject, as the audit log can hold it."""
    subject = current_identity().subject
    return subject if subject.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in subject)


def _patience() -> float:
    left = seconds_left()
    return CALL_TIMEOUT_SECONDS if left is None else left
