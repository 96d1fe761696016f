"""Hands events to the ledger, by the batch, until it has answered for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from libs.errors import ConcordError
from libs.errors.retry import OVERNIGHT
from libs.service.work import WorkContext

from . import EventLedger, EventOutcome, EventState, NotRecorded, OutboundEvent, Recorded
from .store import OutboundEvents

# A batch that has failed so often is asked for event by event, a few a turn; so many failures in a row are an outage.
PATIENCE = 5
SINGLES = 20
FAILURES_IN_A_ROW = 3


class HandoverUow(Protocol):
    """One transaction over a service's events on their way."""

    @property
    def events(self) -> OutboundEvents: ...

    def handed_over(self, outcomes: Sequence[EventOutcome], now: datetime) -> None:
        """What else the service does about what became of events, in the same commit."""

    def commit(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class HandoverWorker:
    """An event leaves the queue when the ledger has it, or has said that it will not have it.

    A lost answer is asked for again: the ledger knows the event by its name and digest. What fails is the call, not
    an event, so that is never a refusal; an event that fails every call costs the others no more than time.
    """

    def __init__(
        self,
        new_uow: Callable[[], HandoverUow],
        ledger: EventLedger,
        work: WorkContext,
        *,
        step: str,  # the name of the step in each transaction's trace
        batch: int = 200,
        lease_seconds: float = 60.0,
    ) -> None:
        self._new_uow = new_uow
        self._ledger = ledger
        self._work = work
        self._step = step
        self._batch = batch
        self._lease_seconds = lease_seconds

    def run_once(self) -> int:
        """How many events were taken; raises what the whole batch met, after putting it back."""
        with self._new_uow() as uow:
            claimed = uow.events.claim(
                limit=self._batch, owner=self._work.owner, now=self._work.clock(), lease_seconds=self._lease_seconds
            )
            if not claimed:
                return 0
            uow.commit()
        try:
            answers = self._answers(claimed)
        except ConcordError as error:
            self._finish([self._later(stored, error.reason) for stored in claimed])
            raise
        self._finish([self._outcome(stored, answer) for stored, answer in zip(claimed, answers, strict=True)])
        return len(claimed)

    def _answers(self, claimed: Sequence[OutboundEvent]) -> Sequence[Recorded | NotRecorded]:
        """An answer an event, in order; raises what the call met."""
        try:
            return self._ledger.record([stored.event for stored in claimed])
        except ConcordError as error:
            if len(claimed) == 1 or min(stored.attempts for stored in claimed) <= PATIENCE:
                raise
            rest = len(claimed[SINGLES:])
            return [*self._singly(claimed[:SINGLES]), *[NotRecorded(error.reason, retry=True)] * rest]

    def _singly(self, claimed: Sequence[OutboundEvent]) -> list[Recorded | NotRecorded]:
        answers: list[Recorded | NotRecorded] = []
        in_a_row = 0
        for stored in claimed:
            try:
                answers += self._ledger.record([stored.event])
                in_a_row = 0
            except ConcordError as error:
                in_a_row += 1
                if in_a_row == FAILURES_IN_A_ROW:
                    raise
                answers.append(NotRecorded(error.reason, retry=True))
        return answers

    def _outcome(self, stored: OutboundEvent, answer: Recorded | NotRecorded) -> EventOutcome:
        if isinstance(answer, NotRecorded):
            if answer.retry:
                return self._later(stored, answer.reason)
            return EventOutcome(stored, EventState.REFUSED, answer.reason)
        mine = stored.event.transaction_id
        # Known under another id: somebody else handed it on first, and counts it.
        count = not answer.duplicate or answer.transaction_id == mine
        alias_of = answer.transaction_id if answer.transaction_id != mine else ""
        return EventOutcome(stored, EventState.RECORDED, count=count, alias_of=alias_of)

    def _later(self, stored: OutboundEvent, reason: str) -> EventOutcome:
        at = OVERNIGHT.next_try(stored.attempts, self._work.clock(), self._work.rng)
        return EventOutcome(stored, EventState.WAITING if at else EventState.PARKED, reason, retry_at=at)

    def _finish(self, outcomes: Sequence[EventOutcome]) -> None:
        now = self._work.clock()
        with self._new_uow() as uow:
            ours = uow.events.finish(outcomes, now)
            uow.handed_over([outcome for outcome in ours if outcome.retry_at is None], now)
            uow.commit()
        for outcome in ours:
            event = outcome.stored.event
            if outcome.retry_at is not None:
                self._work.observer.retried(event.company, event.interface, outcome.reason)
            elif outcome.state.is_set_aside:
                self._work.observer.set_aside(event.company, event.interface, outcome.reason)
            elif self._work.tracing.records:
                attributes = {"concord.event": event.name, "concord.interface": event.interface}
                with self._work.tracing.step(self._step, event.transaction_id, None, attributes):
                    pass
