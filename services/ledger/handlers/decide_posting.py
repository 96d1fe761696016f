"""What people decide about a posting: a second person signs it, one ends it, one takes up again what stands still.

Each decision is taken once, however often it is sent: a repeat gets the first answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.errors.review import ApproverIsMaker, ContentChanged, TransitionForbidden
from libs.events import Clock, is_rival_key
from libs.storage.requests import Request

from ..domain.errors import NotRetryable, PostingBusy
from ..domain.posting import ODOO_HOLDS_ANOTHER, Change, Posting, is_maker, is_waiting, unblocked, waiting
from ..domain.states import PostingState, check_transition
from ..storage.uow import NewUow

REJECTED = "REJECTED"
APPROVAL_DEADLINE = timedelta(days=3)  # of a predecessor, where the build set none
RETRY_DEADLINE = timedelta(days=1)  # the new one of a missing predecessor


@dataclass(frozen=True, slots=True)
class PostingDecision:
    """`words` are what the person said: an approval the digest of what they saw, a rejection its reason."""

    company: str
    key: str
    request_id: str
    actor: str
    words: str = ""


def approve_posting(decision: PostingDecision, new_uow: NewUow, clock: Clock) -> Posting:
    """The posting on its way to Odoo.

    Raises `PostingUnknown`, `TransitionForbidden` (it does not wait for approval), `ContentChanged` (the digest is not
    the content's), `ApproverIsMaker`, `RequestIdReused`, `PostingBusy`.
    """

    def approved(before: Posting, now: datetime) -> Change:
        if before.state is not PostingState.AWAITING_APPROVAL:
            raise TransitionForbidden(f"a posting that is {before.state.value} does not wait for approval")
        if decision.words != before.content_digest:
            raise ContentChanged("the digest is not that of the content there is", field="content_digest")
        if is_maker(before, decision.actor):
            raise ApproverIsMaker("whoever brought the event or made its mapping may not approve its posting")
        patience = before.hold_until - before.created_at if before.hold_until else APPROVAL_DEADLINE
        after = waiting(replace(before, approved_by=decision.actor), now + patience)
        return Change(before, after, decision.actor, through=(PostingState.APPROVED,))

    content = ("approve", decision.company, decision.key, decision.words, decision.actor)
    return _once(decision, content, approved, new_uow, clock)


def reject_posting(decision: PostingDecision, new_uow: NewUow, clock: Clock) -> Posting:
    """The rejected posting. Raises `TransitionForbidden` where it is on its way or at its end, else as an approval.

    An exception after an attempt stands on a look-up later than that attempt, so nothing of it is in Odoo unseen; one
    that was seen to stand in the books can't be rejected.
    """

    def rejected(before: Posting, now: datetime) -> Change:
        if before.state is PostingState.RECORDED and not before.parked:
            raise TransitionForbidden("a posting that is being built can't be rejected")
        check_transition(before.state, PostingState.REJECTED)
        if before.reason == ODOO_HOLDS_ANOTHER and before.odoo_id:
            raise TransitionForbidden(
                "it stands in Odoo's books: cancel it there and retry, so that it is looked at again"
            )
        why = decision.words
        after = replace(
            before, state=PostingState.REJECTED, reason=REJECTED, reason_text=why, parked=False, hold_until=None
        )
        return Change(before, after, decision.actor, resolution="rejected", why=why)

    content = ("reject", decision.company, decision.key, decision.words, decision.actor)
    return _once(decision, content, rejected, new_uow, clock)


def retry_posting(decision: PostingDecision, new_uow: NewUow, clock: Clock) -> Posting:
    """The posting, in the queue that it belongs to. Raises `NotRetryable` if it moves by itself, else as an approval.

    An exception is built again, so that a mended mapping counts; its tries are kept, so that the worker looks in Odoo
    before it writes.
    """

    def retried(before: Posting, now: datetime) -> Change:
        return Change(before, _taken_up(before, now), decision.actor, resolution="retried")

    return _once(decision, ("retry", decision.company, decision.key), retried, new_uow, clock)


def _taken_up(posting: Posting, now: datetime) -> Posting:
    mended = replace(posting, reason="", reason_text="", parked=False, attempts=0, available_at=now)
    if posting.state is PostingState.EXCEPTION and not is_rival_key(posting.key):
        return replace(mended, state=PostingState.RECORDED, hold_until=None)
    if posting.state is PostingState.HELD:
        return waiting(posting, now + RETRY_DEADLINE) if is_waiting(posting) else unblocked(posting, now)
    if posting.parked and posting.state in (PostingState.RECORDED, PostingState.READY, PostingState.UNKNOWN):
        return mended
    raise NotRetryable(f"a posting that is {posting.state.value} needs no retry")


def _once(
    decision: PostingDecision,
    content: tuple[str, ...],
    change_of: Callable[[Posting, datetime], Change],
    new_uow: NewUow,
    clock: Clock,
) -> Posting:
    """The posting after the change; what comes back to RECORDED is built again. `content` is all that was asked for."""
    now, request = clock(), Request(decision.request_id, *content)
    with new_uow() as uow:
        if first := uow.requests.begin(request, Posting, now):
            return first
        change = change_of(uow.postings.get(decision.company, decision.key, lock=True), now)
        if not uow.postings.apply([change], now):
            raise PostingBusy("a worker has the posting in hand; try again")
        if change.after.state is PostingState.RECORDED:
            uow.events.build_again([change.after.event], now)
        answer = uow.postings.find([decision.key])[decision.key]
        uow.requests.answer(request, answer)
        uow.commit()
    return answer
