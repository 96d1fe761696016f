"""Brings confirmed matches to the ledger, and asks until Odoo shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from libs.errors import ConcordError
from libs.errors.retry import RetryPolicy
from libs.service.work import WorkContext

from ..domain.match import MatchOutcome, MatchState, OutboundMatch
from ..domain.retry import BUDGET
from ..domain.settings import Settings
from ..handlers.ports import Applied, AppliedState, Ledger, MatchToApply
from ..storage.uow import NewUow

PARKED = "APPLY_BUDGET_SPENT"


class ApplyWorker:
    """Calls `apply_match`, which is safe to repeat, so it also asks what became of an earlier call.

    A match that the ledger cannot write keeps its reason, becomes a difference and is asked for again now and then:
    what was mended over there is seen here without anybody's doing.
    """

    def __init__(
        self,
        new_uow: NewUow,
        ledger: Ledger,
        work: WorkContext,
        settings: Settings,
        *,
        batch: int = 50,
        lease_seconds: float = 120.0,
        budget: RetryPolicy = BUDGET,
    ) -> None:
        self._new_uow = new_uow
        self._ledger = ledger
        self._work = work
        self._settings = settings
        self._batch = batch
        self._lease_seconds = lease_seconds
        self._budget = budget

    def run_once(self) -> int:
        """How many matches the ledger was asked about; raises a technical failure after noting when to try again."""
        with self._new_uow() as uow:
            claimed = uow.matches.claim(
                limit=self._batch, owner=self._work.owner, now=self._work.clock(), lease_seconds=self._lease_seconds
            )
            if not claimed:
                return 0
            uow.commit()
        outcomes: list[MatchOutcome] = []
        failure: ConcordError | None = None
        for one in claimed:
            if failure is not None:
                outcomes.append(self._later(one, failure.reason))
                continue
            try:
                outcomes.append(self._outcome(one, self._ledger.apply_match(_to_apply(one))))
            except ConcordError as error:
                if error.kind.is_technical:
                    failure = error
                    outcomes.append(self._later(one, error.reason))
                else:
                    outcomes.append(self._stuck(one, error.reason))
        self._finish(outcomes, failure)
        if failure is not None:
            raise failure
        return len(claimed)

    def _outcome(self, stored: OutboundMatch, applied: Applied) -> MatchOutcome:
        if applied.state is AppliedState.WRITTEN:
            return MatchOutcome(stored, MatchState.WRITTEN, written_at=applied.written_at or self._work.clock())
        if applied.state is AppliedState.EXCEPTION:
            return self._stuck(stored, applied.reason or "MATCH_EXCEPTION")
        at = self._work.clock() + timedelta(seconds=self._settings.apply_poll_seconds)
        return MatchOutcome(stored, MatchState.CONFIRMED, retry_at=at, fresh_budget=True)

    def _stuck(self, stored: OutboundMatch, reason: str) -> MatchOutcome:
        at = self._work.clock() + timedelta(seconds=self._settings.stuck_poll_seconds)
        return MatchOutcome(stored, MatchState.CONFIRMED, reason[:64], retry_at=at, fresh_budget=True)

    def _later(self, stored: OutboundMatch, reason: str) -> MatchOutcome:
        at = self._budget.next_try(stored.attempts, self._work.clock(), self._work.rng)
        if at is None:
            return self._stuck(stored, PARKED)
        return MatchOutcome(stored, MatchState.CONFIRMED, stored.match.reason, retry_at=at)

    def _finish(self, outcomes: Sequence[MatchOutcome], failure: ConcordError | None) -> None:
        with self._new_uow() as uow:
            kept = uow.matches.finish(outcomes, self._work.clock())
            ours = [one for one in outcomes if one.stored.match.name in kept]
            # A reason that came or went is news for the differences.
            for company in sorted({one.stored.company for one in ours if one.reason != one.stored.match.reason}):
                uow.progress.news(company)
            uow.commit()
        for one in ours:
            if failure is not None and one.retry_at is not None and not one.fresh_budget:
                self._work.observer.retried(one.stored.company, "", failure.reason)
            if one.state is MatchState.WRITTEN:
                attributes = {"concord.match": one.stored.match.name}
                matched = [(each, None) for each in one.stored.match.transaction_ids]
                self._work.tracing.join("match_written", matched, one.stored.traceparent, attributes)


def _to_apply(one: OutboundMatch) -> MatchToApply:
    match = one.match
    revision = match.certificate.rule_revision
    return MatchToApply(match.name, one.company, match.type, match.anchor, match.members, revision, one.traceparent)
