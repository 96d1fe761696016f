"""Brings confirmed matches to the ledger, and asks until Odoo shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from libs.errors import ConcordError
from libs.errors.retry import OVERNIGHT, RetryPolicy
from libs.service.work import WorkContext

from ..domain.match import ClaimedMatch, MatchOutcome, MatchState
from ..domain.settings import Settings
from ..handlers.ports import AppliedState, LedgerAnswer, ReconLedger
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
        ledger: ReconLedger,
        work: WorkContext,
        settings: Settings,
        *,
        batch: int = 50,
        lease_seconds: float = 120.0,
        budget: RetryPolicy = OVERNIGHT,
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
        for stored in claimed:
            if failure is not None:
                outcomes.append(self._later(stored, failure.reason))
                continue
            try:
                outcomes.append(self._outcome(stored, self._ledger.apply_match(stored.match)))
            except ConcordError as error:
                if error.kind.is_technical:
                    failure = error
                    outcomes.append(self._later(stored, error.reason))
                else:
                    outcomes.append(self._stuck(stored, error.reason))
        self._finish(outcomes, failure)
        if failure is not None:
            raise failure
        return len(claimed)

    def _outcome(self, stored: ClaimedMatch, answer: LedgerAnswer) -> MatchOutcome:
        if answer.state is AppliedState.WRITTEN:
            return MatchOutcome(stored, MatchState.WRITTEN, written_at=answer.written_at or self._work.clock())
        if answer.state is AppliedState.EXCEPTION:
            return self._stuck(stored, answer.reason or "MATCH_EXCEPTION")
        at = self._work.clock() + timedelta(seconds=self._settings.apply_poll_seconds)
        return MatchOutcome(stored, MatchState.CONFIRMED, retry_at=at, fresh_budget=True)

    def _stuck(self, stored: ClaimedMatch, reason: str) -> MatchOutcome:
        at = self._work.clock() + timedelta(seconds=self._settings.stuck_poll_seconds)
        return MatchOutcome(stored, MatchState.CONFIRMED, reason[:64], retry_at=at, fresh_budget=True)

    def _later(self, stored: ClaimedMatch, reason: str) -> MatchOutcome:
        at = self._budget.next_try(stored.attempts, self._work.clock(), self._work.rng)
        if at is None:
            return self._stuck(stored, PARKED)
        return MatchOutcome(stored, MatchState.CONFIRMED, stored.match.reason, retry_at=at)

    def _finish(self, outcomes: Sequence[MatchOutcome], failure: ConcordError | None) -> None:
        with self._new_uow() as uow:
            kept = uow.matches.finish(outcomes, self._work.clock())
            ours = [(outcome, outcome.stored.match) for outcome in outcomes if outcome.stored.match.name in kept]
            # A reason that came or went is news for the differences.
            for company in sorted({match.company for outcome, match in ours if outcome.reason != match.reason}):
                uow.progress.news(company)
            uow.commit()
        for outcome, match in ours:
            if failure is not None and outcome.retry_at is not None and not outcome.fresh_budget:
                self._work.observer.retried(match.company, "", failure.reason)
            if outcome.state is MatchState.WRITTEN:
                attributes = {"concord.match": match.name}
                transactions = [(transaction, None) for transaction in match.transaction_ids]
                self._work.tracing.join("match_written", transactions, match.traceparent, attributes)
