"""Requests that change something are answered once, however often they are sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from libs.events import Clock
from libs.storage.requests import Request

from ..domain.errors import PostingBusy
from ..domain.posting import Change, Posting
from ..storage.uow import LedgerUow, NewUow


def answer_once(request: Request, new_uow: NewUow, clock: Clock, work: Callable[[LedgerUow, datetime], str]) -> Posting:
    """The posting after `work`, which gives its key; a repeat gets the first answer without working again.

    Raises `RequestIdReused` where the id was used for another content.
    """
    now = clock()
    with new_uow() as uow:
        if first := uow.requests.begin(request, Posting, now):
            return first
        key = work(uow, now)
        answer = uow.postings.find([key])[key]
        uow.requests.answer(request, answer)
        uow.commit()
    return answer


def apply_one(uow: LedgerUow, change: Change, now: datetime) -> str:
    """Make one change; its posting's key. Raises `PostingBusy` if a worker was faster, `TransitionForbidden`."""
    if not uow.postings.apply([change], now):
        raise PostingBusy("a worker has the posting in hand; try again")
    return change.after.key
