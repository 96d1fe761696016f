"""Looks at held postings when their time has come."""

from __future__ import annotations

from dataclasses import dataclass, replace

from libs.service.work import WorkContext

from ..domain.case import Doubt
from ..domain.posting import LEDGER, PREDECESSOR_MISSING, Change, Posting, is_waiting, unblocked
from ..domain.states import PostingState
from ..storage.uow import NewUow

_MISSING = Doubt(
    PREDECESSOR_MISSING,
    "what it follows has not been posted in time; retry once it is, or reject it",
)


@dataclass(slots=True)
class HoldWorker:
    """A held posting whose predecessors are all posted becomes READY; one that still waits for any is an exception.

    Its predecessor's commit promotes it too: this is the net below. What is held for another reason, until a window or
    period opens, becomes READY when its time has come.
    """

    new_uow: NewUow
    work: WorkContext
    batch: int = 200
    lease_seconds: float = 60.0

    def run_once(self) -> int:
        """Look at what is due; how many it were."""
        now = self.work.clock()
        with self.new_uow() as uow:
            due = uow.postings.claim_held(
                limit=self.batch, owner=self.work.owner, now=now, lease_seconds=self.lease_seconds
            )
            if not due:
                return 0
            blocked = uow.postings.blocked([posting.key for posting in due if is_waiting(posting)])
            changes = [
                _missing(posting) if posting.key in blocked else Change(posting, unblocked(posting, now), LEDGER)
                for posting in due
            ]
            uow.postings.apply(changes, now)
            uow.commit()
        return len(due)


def _missing(posting: Posting) -> Change:
    after = replace(
        posting,
        state=PostingState.EXCEPTION,
        reason=_MISSING.reason,
        reason_text=_MISSING.message,
        hold_until=None,
    )
    return Change(posting, after, LEDGER, doubt=_MISSING)
