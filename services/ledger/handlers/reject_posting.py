"""A person ends a posting that shall not reach the books."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from libs.errors.review import TransitionForbidden
from libs.events import Clock
from libs.storage.requests import Request

from ..domain.posting import ODOO_HOLDS_ANOTHER, Change, Posting
from ..domain.states import PostingState, check_transition
from ..storage.uow import LedgerUow, NewUow
from .answer_once import answer_once, apply_one

REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class RejectPosting:
    company: str
    key: str
    why: str
    request_id: str
    actor: str


def reject_posting(command: RejectPosting, new_uow: NewUow, clock: Clock) -> Posting:
    """The rejected posting. Raises `PostingUnknown`, or `TransitionForbidden` where it is on its way or at its end.

    An exception after an attempt stands on a look-up later than that attempt, so nothing of it is in Odoo unseen; one
    that was seen to stand in the books can't be rejected.
    """

    def work(uow: LedgerUow, now: datetime) -> str:
        before = uow.postings.get(command.company, command.key, lock=True)
        if before.state is PostingState.RECORDED and not before.parked:
            raise TransitionForbidden("a posting that is being built can't be rejected")
        check_transition(before.state, PostingState.REJECTED)
        if before.reason == ODOO_HOLDS_ANOTHER and before.odoo_id:
            raise TransitionForbidden(
                "it stands in Odoo's books: cancel it there and retry, so that it is looked at again"
            )
        after = replace(
            before, state=PostingState.REJECTED, reason=REJECTED, reason_text=command.why, parked=False, hold_until=None
        )
        change = Change(before, after, command.actor, resolution="rejected", why=command.why)
        return apply_one(uow, change, now)

    request = Request(command.request_id, "reject", command.company, command.key, command.why, command.actor)
    return answer_once(request, new_uow, clock, work)
