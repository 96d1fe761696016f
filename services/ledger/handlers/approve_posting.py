"""A second person signs the exact content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.errors.review import ApproverIsMaker, ContentChanged, TransitionForbidden
from libs.events import Clock
from libs.storage.requests import Request

from ..domain.posting import Change, Posting, is_maker, waiting
from ..domain.states import PostingState
from ..storage.uow import LedgerUow, NewUow
from .answer_once import answer_once, apply_one

DEADLINE = timedelta(days=3)  # of a predecessor, where the build set none


@dataclass(frozen=True, slots=True)
class ApprovePosting:
    company: str
    key: str
    content_digest: str
    request_id: str
    approver: str


def approve_posting(command: ApprovePosting, new_uow: NewUow, clock: Clock) -> Posting:
    """The posting on its way to Odoo.

    Raises `PostingUnknown`, `TransitionForbidden` (it does not wait for approval), `ContentChanged` (the digest is not
    the content's), `ApproverIsMaker`.
    """

    def work(uow: LedgerUow, now: datetime) -> str:
        before = uow.postings.get(command.company, command.key, lock=True)
        if before.state is not PostingState.AWAITING_APPROVAL:
            raise TransitionForbidden(f"a posting that is {before.state.value} does not wait for approval")
        if command.content_digest != before.content_digest:
            raise ContentChanged("the digest is not that of the content there is", field="content_digest")
        if is_maker(before, command.approver):
            raise ApproverIsMaker("whoever brought the event or made its mapping may not approve its posting")
        patience = before.hold_until - before.created_at if before.hold_until else DEADLINE
        after = waiting(replace(before, approved_by=command.approver), now + patience)
        return apply_one(uow, Change(before, after, command.approver, through=(PostingState.APPROVED,)), now)

    request = Request(
        command.request_id, "approve", command.company, command.key, command.content_digest, command.approver
    )
    return answer_once(request, new_uow, clock, work)
