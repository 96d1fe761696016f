"""A person takes up again what stands still, after its cause is mended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.events import Clock, is_rival_key
from libs.storage.requests import Request

from ..domain.errors import NotRetryable
from ..domain.posting import Change, Posting, is_waiting, unblocked, waiting
from ..domain.states import PostingState
from ..storage.uow import LedgerUow, NewUow
from .answer_once import answer_once, apply_one

DEADLINE = timedelta(days=1)  # the new one of a missing predecessor


@dataclass(frozen=True, slots=True)
class RetryPosting:
    company: str
    key: str
    request_id: str
    actor: str


def retry_posting(command: RetryPosting, new_uow: NewUow, clock: Clock) -> Posting:
    """The posting, in the queue that it belongs to. Raises `PostingUnknown`, or `NotRetryable` if it moves by itself.

    An exception is built again, so that a mended mapping counts; its tries are kept, so that the worker looks in Odoo
    before it writes.
    """

    def work(uow: LedgerUow, now: datetime) -> str:
        before = uow.postings.get(command.company, command.key, lock=True)
        after = retried(before, now)
        key = apply_one(uow, Change(before, after, command.actor, resolution="retried"), now)
        if after.state is PostingState.RECORDED:
            uow.events.build_again([before.event], now)
        return key

    request = Request(command.request_id, "retry", command.company, command.key)
    return answer_once(request, new_uow, clock, work)


def retried(posting: Posting, now: datetime) -> Posting:
    """What the posting becomes. Raises `NotRetryable`."""
    mended = replace(posting, reason="", reason_text="", parked=False, attempts=0, available_at=now)
    if posting.state is PostingState.EXCEPTION and not is_rival_key(posting.key):
        return replace(mended, state=PostingState.RECORDED, hold_until=None)
    if posting.state is PostingState.HELD:
        return waiting(posting, now + DEADLINE) if is_waiting(posting) else unblocked(posting, now)
    if posting.parked and posting.state in (PostingState.RECORDED, PostingState.READY, PostingState.UNKNOWN):
        return mended
    raise NotRetryable(f"a posting that is {posting.state.value} needs no retry")
