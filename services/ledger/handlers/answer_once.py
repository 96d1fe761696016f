"""Requests that change something are answered once, however often they are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from libs.events import Clock

from ..domain.errors import PostingBusy, RequestIdReused
from ..domain.posting import Change, Posting
from ..storage.uow import LedgerUow, NewUow


def answer_once(
    request_id: str, content: tuple[str, ...], new_uow: NewUow, clock: Clock, work: Callable[[LedgerUow, datetime], str]
) -> Posting:
    """The posting after `work`, which gives its key; a repeat gets the first answer without working again.

    Raises `RequestIdReused` where the id was used for another content.
    """
    now = clock()
    fingerprint = hashlib.sha256("\n".join(content).encode()).hexdigest()
    with new_uow() as uow:
        first = uow.requests.begin(request_id, fingerprint, now)
        if first is not None:
            if first.fingerprint != fingerprint:
                raise RequestIdReused("this request id was used for another request", field="request_id")
            return first.posting
        key = work(uow, now)
        answer = uow.postings.find([key])[key]
        uow.requests.answer(request_id, answer)
        uow.commit()
    return answer


def apply_one(uow: LedgerUow, change: Change, now: datetime) -> str:
    """Make one change; its posting's key. Raises `PostingBusy` if a worker was faster, `TransitionForbidden`."""
    if not uow.postings.apply([change], now):
        raise PostingBusy("a worker has the posting in hand; try again")
    return change.after.key
