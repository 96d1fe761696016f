"""Hands events to the ledger, by the batch, until it has answered for each."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import ConcordError
from libs.errors.retry import RetryPolicy
from libs.service.work import WorkContext

from ..domain.retry import BUDGET
from ..domain.walk import EventOutcome, OutboundEvent
from ..handlers.ports import Ledger, NotRecorded, Recorded
from ..storage.uow import NewUow


class RecordWorker:
    """An event leaves the queue when the ledger has it, or has said that it will not have it.

    A lost answer is asked for again: the ledger knows the event by its name and digest.
    """

    def __init__(
        self,
        new_uow: NewUow,
        ledger: Ledger,
        work: WorkContext,
        *,
        batch: int = 500,
        lease_seconds: float = 120.0,
        budget: RetryPolicy = BUDGET,
    ) -> None:
        self._new_uow = new_uow
        self._ledger = ledger
        self._work = work
        self._batch = batch
        self._lease_seconds = lease_seconds
        self._budget = budget

    def run_once(self) -> int:
        """How many events the ledger answered for; raises what a whole batch met, after putting it back."""
        with self._new_uow() as uow:
            claimed = uow.outbound.claim(
                limit=self._batch, owner=self._work.owner, now=self._work.clock(), lease_seconds=self._lease_seconds
            )
            if not claimed:
                return 0
            uow.commit()
        try:
            answers = self._ledger.record([one.event for one in claimed])
        except ConcordError as error:
            # A batch that is refused as a whole says nothing of its items: it is tried again within the budget too.
            self._finish([self._later(one, error.reason) for one in claimed])
            if error.kind.is_technical:
                raise
            return len(claimed)
        self._finish([self._outcome(one, answer) for one, answer in zip(claimed, answers, strict=True)])
        return len(claimed)

    def _outcome(self, stored: OutboundEvent, answer: Recorded | NotRecorded) -> EventOutcome:
        if isinstance(answer, NotRecorded):
            if answer.retry:
                return self._later(stored, answer.reason)
            return EventOutcome(stored, "refused", answer.reason)
        mine = stored.event.transaction_id
        # Known under another id: somebody else handed it on first, and counts it.
        count = not answer.duplicate or answer.transaction_id == mine
        alias_of = answer.transaction_id if answer.transaction_id != mine else ""
        return EventOutcome(stored, "recorded", count=count, alias_of=alias_of)

    def _later(self, stored: OutboundEvent, reason: str) -> EventOutcome:
        at = self._budget.next_try(stored.attempts, self._work.clock(), self._work.rng)
        if at is None:
            return EventOutcome(stored, "parked", reason[:64])
        return EventOutcome(stored, "waiting", reason[:64], retry_at=at)

    def _finish(self, outcomes: Sequence[EventOutcome]) -> None:
        with self._new_uow() as uow:
            kept = uow.outbound.finish(outcomes, self._work.clock())
            ours = [one for one in outcomes if one.stored.event.name in kept]
            failed = {one.stored.event.company for one in ours if one.state in ("refused", "parked")}
            for company in sorted(failed):
                uow.progress.news(company)
            uow.commit()
        for one in ours:
            event = one.stored.event
            if one.retry_at is not None:
                self._work.observer.retried(event.company, event.interface, one.reason)
            if one.state == "recorded":
                attributes = {"concord.event": event.name, "concord.interface": event.interface}
                with self._work.tracing.step("handed_on", event.transaction_id, None, attributes):
                    pass
