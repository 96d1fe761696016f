"""The ledger's messages to its values and back. What contradicts the contract is refused here, by field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from concord.events.v1 import event_pb2
from concord.ledger.v1 import exception_pb2, ledger_pb2, match_pb2, posting_pb2

from libs.access import AccessScope
from libs.errors import ConcordError
from libs.events import Event
from libs.rpc.admission import admit
from libs.rpc.errors import InvalidRequest
from libs.rpc.filling import filled
from libs.rpc.identity import Identity
from libs.rpc.pages import decode_token, encode_token, filters_of
from libs.rpc.requests import at_most, optional, request_id, required, resource_name
from libs.rpc.requests import transaction_id as checked_transaction_id
from libs.rpc.wire import from_event, to_event

from .domain.case import CaseState, ExceptionCase
from .domain.changes import PostingChange
from .domain.event import RecordedEvent
from .domain.listed import ListedPosting
from .domain.match import AppliedMatch, AppliedMatchType
from .domain.posting import Posting, PostingQuery, posting_name
from .domain.states import PostingState
from .handlers.apply_match import MatchAnswer
from .handlers.decide_posting import PostingDecision
from .handlers.record_events import check
from .message import whole_message

EVENTS_AT_MOST = 1000
MEMBERS_AT_MOST = 10_000
_POSTING = re.compile(r"companies/([^/\s\x00-\x1f\x7f]{1,64})/postings/([^/\s\x00-\x1f\x7f]{1,1024})")


def to_checked_event(message: event_pb2.Event, identity: Identity) -> Event:
    """An event that the ledger can keep and the caller may bring.

    Raises `EventInvalid`, `UnknownCurrency` or `BadAmount`, `ResourceUnknown` or `EventKindForbidden`.
    """
    event = to_event(message)
    check(event)
    admit(event, identity)
    return event


def to_events(request: ledger_pb2.BatchRecordEventsRequest, identity: Identity) -> list[Event | ConcordError]:
    """Each item's event, or why it is none."""
    return [_event_or_error(event, identity) for event in at_most(request.events, EVENTS_AT_MOST, "events")]


def from_results(results: Sequence[RecordedEvent | ConcordError]) -> ledger_pb2.BatchRecordEventsResponse:
    return ledger_pb2.BatchRecordEventsResponse(results=[_result(result) for result in results])


def from_recorded(recorded: RecordedEvent) -> ledger_pb2.RecordedEvent:
    event = recorded.event
    return filled(
        ledger_pb2.RecordedEvent,
        recorded,
        event=from_event(event),
        digest=recorded.digest.hex,
        digest_version=recorded.digest.version,
        postings=[posting_name(event.company, key) for key in recorded.postings],
    )


def to_posting_key(name: str, field: str = "name") -> tuple[str, str]:
    """Company and key of `companies/{company}/postings/{posting}`."""
    match = _POSTING.fullmatch(name)
    if match is None:
        raise InvalidRequest(f"{field} must be of the form companies/{{company}}/postings/{{posting}}", field=field)
    return match[1], match[2]


def to_company(parent: str, field: str = "parent") -> str:
    return resource_name(parent, field, "companies/{company}")["company"]


def to_query(request: ledger_pb2.ListPostingsRequest, scope: AccessScope) -> PostingQuery:
    states = [posting_pb2.Posting.State.Name(state).removeprefix("STATE_") for state in request.filter.states]
    known = PostingState.__members__
    if any(state not in known for state in states):
        raise InvalidRequest("unknown state", field="filter.states")
    return PostingQuery(
        company=to_company(request.parent),
        scope=scope,
        states=tuple(known[state] for state in states),
        transaction_id=_optional_transaction(request.filter.transaction_id, "filter.transaction_id"),
        event=optional(request.filter.event, "filter.event"),
        reference=optional(request.filter.reference, "filter.reference"),
    )


def from_posting(posting: Posting) -> posting_pb2.Posting:
    return posting_pb2.Posting.FromString(whole_message(posting))


def from_listed(listed: ListedPosting) -> bytes:
    return listed.message


def to_decision(
    request: ledger_pb2.ApprovePostingRequest | ledger_pb2.RejectPostingRequest | ledger_pb2.RetryPostingRequest,
    actor: str,
    field: str = "",
) -> PostingDecision:
    """`field` is the one that bears the person's words."""
    company, key = to_posting_key(request.name)
    words = required(getattr(request, field), field) if field else ""
    return PostingDecision(company, key, request_id(request.request_id), actor, words)


def to_case_state(request: ledger_pb2.ListExceptionsRequest) -> CaseState | None:
    """None lets every state through."""
    states = exception_pb2.ExceptionCase
    known = {
        states.STATE_UNSPECIFIED: None,
        states.STATE_OPEN: CaseState.OPEN,
        states.STATE_RESOLVED: CaseState.RESOLVED,
    }
    if request.state not in known:
        raise InvalidRequest("unknown state", field="state")
    return known[request.state]


def to_watch(request: ledger_pb2.WatchPostingsRequest) -> tuple[str, str, int]:
    """Company, transaction id (empty: all) and the last number seen."""
    company = to_company(request.parent)
    transaction = _optional_transaction(request.transaction_id, "transaction_id")
    if not request.resume_token:
        return company, transaction, 0
    number = decode_token(request.resume_token, filters_of(request), "resume_token")[0]
    return company, transaction, int(number)


def from_change(change: PostingChange, binding: bytes) -> ledger_pb2.WatchPostingsResponse:
    return ledger_pb2.WatchPostingsResponse(
        posting=from_posting(change.posting),
        event=from_event(change.event),
        resume_token=encode_token((change.number,), binding),
    )


def to_match_name(name: str, field: str = "name") -> str:
    resource_name(name, field, "companies/{company}/matches/{match}")
    return name


def to_match(request: ledger_pb2.ApplyMatchRequest, caller: str, now: datetime) -> AppliedMatch:
    message = request.match
    company = resource_name(message.name, "match.name", "companies/{company}/matches/{match}")["company"]
    return AppliedMatch(
        name=message.name,
        company=company,
        type=_to_match_type(message),
        anchor=_own_posting(message.anchor, company, "match.anchor"),
        members=_to_members(message, company),
        rule_revision=optional(message.rule_revision, "match.rule_revision", 128),
        traceparent=optional(message.traceparent, "match.traceparent", 128),
        applied_by=caller,
        created_at=now,
        available_at=now,
    )


def from_match(applied: MatchAnswer) -> match_pb2.AppliedMatch:
    match, company = applied.match, applied.match.company
    joined = filled(
        match_pb2.Match,
        match,
        anchor=posting_name(company, match.anchor),
        members=[posting_name(company, key) for key in match.members],
    )
    return filled(
        match_pb2.AppliedMatch,
        match,
        match=joined,
        transaction_ids=applied.transaction_ids,
        write_time=match.written_at,
    )


def _to_match_type(message: match_pb2.Match) -> AppliedMatchType:
    word = match_pb2.Match.Type.Name(message.type) if message.type in match_pb2.Match.Type.values() else ""
    known = AppliedMatchType.__members__
    if word.removeprefix("TYPE_") not in known:
        raise InvalidRequest("unknown type of match", field="match.type")
    return known[word.removeprefix("TYPE_")]


def _to_members(message: match_pb2.Match, company: str) -> tuple[str, ...]:
    """Keys of the members, all of the match's company, each once."""
    members = at_most(message.members, MEMBERS_AT_MOST, "match.members")
    return tuple(dict.fromkeys(_own_posting(member, company, "match.members") for member in members))


def _event_or_error(message: event_pb2.Event, identity: Identity) -> Event | ConcordError:
    try:
        return to_checked_event(message, identity)
    except ConcordError as error:
        return error


def _result(answer: RecordedEvent | ConcordError) -> ledger_pb2.RecordResult:
    if isinstance(answer, RecordedEvent):
        return ledger_pb2.RecordResult(recorded=from_recorded(answer))
    failure = ledger_pb2.RecordFailure(reason=answer.reason, message=str(answer), field=answer.field or "")
    return ledger_pb2.RecordResult(failure=failure)


def _optional_transaction(value: str, field: str) -> str:
    return checked_transaction_id(value, field) if value else ""


def _own_posting(name: str, company: str, field: str) -> str:
    owner, key = to_posting_key(name, field)
    if owner != company:
        raise InvalidRequest(f"{field} names another company's posting", field=field)
    return key


def from_case(case: ExceptionCase) -> exception_pb2.ExceptionCase:
    doubt = case.doubt
    return filled(
        exception_pb2.ExceptionCase,
        case,
        category=doubt.category,
        reason=doubt.reason,
        message=doubt.message,
        amount_at_risk=case.at_risk,
        create_time=case.created_at,
        resolve_time=case.resolved_at,
        allowed_actions=doubt.actions if case.state is CaseState.OPEN else (),
    )
