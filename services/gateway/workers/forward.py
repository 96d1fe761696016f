"""Hands events to the ledger, by the batch, until it has answered for each."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from libs.errors import ConcordError
from libs.events import Clock
from providers.base import Source

from ..domain.delivery import State
from ..domain.fact import EventState, StoredEvent
from ..domain.retry import RetryBudget
from ..handlers.ports import (
    EventOutcome,
    Ledger,
    NewUnitOfWork,
    NotRecorded,
    PutBack,
    Recorded,
    SetAside,
    Tracing,
    unobserved,
)

# A batch that has failed so often is asked for event by event, a few a turn; so many failures in a row are an outage.
PATIENCE = 5
SINGLES = 20
FAILURES_IN_A_ROW = 3
# What becomes of a delivery one of whose events is set aside.
_ASIDE = {EventState.REFUSED: State.QUARANTINED, EventState.PARKED: State.PARKED}


class ForwardWorker:
    """An event leaves the queue when the ledger has it, or has said that it will not have it.

    A lost answer is asked for again: the ledger knows the event by its name and digest. What fails is the call, not
    an event, so that is never a refusal; an event that fails every call costs the others no more than time.
    """

    def __init__(
        self,
        new_uow: NewUnitOfWork,
        ledger: Ledger,
        *,
        clock: Clock,
        rng: random.Random,
        tracing: Tracing,
        owner: str,
        batch: int = 200,
        lease_seconds: float = 60.0,
        budget: RetryBudget = RetryBudget(),  # noqa: B008 - immutable
        set_aside: SetAside = unobserved,
        put_back: PutBack = unobserved,
    ) -> None:
        self._new_uow = new_uow
        self._ledger = ledger
        self._clock = clock
        self._rng = rng
        self._tracing = tracing
        self._owner = owner
        self._batch = batch
        self._lease_seconds = lease_seconds
        self._budget = budget
        self._set_aside = set_aside
        self._put_back = put_back

    def run_once(self) -> int:
        """How many events the ledger answered for; raises what a whole batch met, after putting it back."""
        with self._new_uow() as uow:
            claimed = uow.events.claim(
                limit=self._batch, owner=self._owner, now=self._clock(), lease_seconds=self._lease_seconds
            )
            if not claimed:
                return 0
            uow.commit()
        try:
            answers = self._answers(claimed)
        except ConcordError as error:
            self._finish([self._later(one, error.reason) for one in claimed])
            raise
        outcomes = [self._outcome(one, answer) for one, answer in zip(claimed, answers, strict=True)]
        self._finish(outcomes)
        return len(claimed)

    def _answers(self, claimed: Sequence[StoredEvent]) -> Sequence[Recorded | NotRecorded]:
        """An answer an event, in order; raises what the call met."""
        try:
            return self._ledger.record([one.event for one in claimed])
        except ConcordError as error:
            if len(claimed) == 1 or min(one.attempts for one in claimed) <= PATIENCE:
                raise
            return [*self._singly(claimed[:SINGLES]), *[NotRecorded(error.reason, retry=True)] * len(claimed[SINGLES:])]

    def _singly(self, claimed: Sequence[StoredEvent]) -> list[Recorded | NotRecorded]:
        answers: list[Recorded | NotRecorded] = []
        in_a_row = 0
        for one in claimed:
            try:
                answers += self._ledger.record([one.event])
                in_a_row = 0
            except ConcordError as error:
                in_a_row += 1
                if in_a_row == FAILURES_IN_A_ROW:
                    raise
                answers.append(NotRecorded(error.reason, retry=True))
        return answers

    def _outcome(self, stored: StoredEvent, answer: Recorded | NotRecorded) -> EventOutcome:
        if isinstance(answer, NotRecorded):
            if answer.retry:
                return self._later(stored, answer.reason)
            return EventOutcome(stored, EventState.REFUSED, answer.reason)
        mine = stored.event.transaction_id
        # Known under another id: somebody else handed it on first, and counts it.
        count = not answer.duplicate or answer.transaction_id == mine
        alias_of = answer.transaction_id if answer.transaction_id != mine else ""
        return EventOutcome(stored, EventState.FORWARDED, count=count, alias_of=alias_of)

    def _later(self, stored: StoredEvent, reason: str) -> EventOutcome:
        at = self._budget.next_try(stored.attempts, self._clock(), self._rng)
        if at is None:
            return EventOutcome(stored, EventState.PARKED, reason)
        return EventOutcome(stored, EventState.WAITING, reason, retry_at=at)

    def _finish(self, outcomes: Sequence[EventOutcome]) -> None:
        now = self._clock()
        with self._new_uow() as uow:
            kept = uow.events.finish(outcomes, now)
            ours = [one for one in outcomes if one.stored.event.name in kept]
            forwarded = Counter(one.stored.delivery for one in ours if one.state is EventState.FORWARDED)
            uow.deliveries.event_forwarded(forwarded, now)
            for one in ours:
                if one.state in _ASIDE:
                    uow.deliveries.set_aside([one.stored.delivery], _ASIDE[one.state], one.reason, now)
            uow.commit()
        for one in ours:
            tell = self._put_back if one.retry_at is not None else self._set_aside if one.state in _ASIDE else None
            if tell is not None:
                event = one.stored.event
                tell(Source(event.provider, event.account, event.company), one.reason)
        for one in ours if self._tracing.records else ():
            if one.state is EventState.FORWARDED:
                event = one.stored.event
                attributes = {"concord.event": event.name, "concord.interface": event.interface}
                with self._tracing.step("forwarded", event.transaction_id, None, attributes):
                    pass
