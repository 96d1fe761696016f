"""Hands composed payouts to recon."""

from __future__ import annotations

from libs.errors import ConcordError
from libs.errors.retry import OVERNIGHT
from libs.events import Settlement
from libs.service.work import WorkContext

from ..domain.payout import PayoutOutcome, PayoutState, StoredPayout
from ..handlers.ports import ReconImports
from ..storage.uow import NewUow

LEASE_SECONDS = 120.0


class ForwardSettlementWorker:
    """One payout at a time. Recon's refusal is kept with its reason."""

    def __init__(self, new_uow: NewUow, recon: ReconImports, work: WorkContext) -> None:
        self._new_uow = new_uow
        self._recon = recon
        self._work = work

    def run_once(self) -> int:
        """1 if recon answered for a settlement; raises a technical failure after noting when to try again."""
        work = self._work
        with self._new_uow() as uow:
            claimed = uow.payouts.claim(
                PayoutState.COMPOSED, limit=1, owner=work.owner, now=work.clock(), lease_seconds=LEASE_SECONDS
            )
            if claimed:
                uow.commit()
        for payout in claimed:
            assert payout.settlement is not None, "a composed payout has its settlement"
            try:
                self._import(payout, payout.settlement)
            except ConcordError as error:
                self._failed(payout, payout.settlement.company, error)
                if error.kind.is_technical:
                    raise
            else:
                self._finish(PayoutOutcome(payout, PayoutState.FORWARDED))
        return len(claimed)

    def _import(self, payout: StoredPayout, settlement: Settlement) -> None:
        attributes = {"concord.delivery": payout.delivery, "concord.interface": settlement.interface}
        with self._work.tracing.step("settlement_forwarded", payout.transaction_id, None, attributes):
            self._recon.import_settlement(settlement, payout.delivery, payout.transaction_id)

    def _failed(self, payout: StoredPayout, company: str, error: ConcordError) -> None:
        technical = error.kind.is_technical
        at = OVERNIGHT.next_try(payout.attempts, self._work.clock(), self._work.rng) if technical else None
        given_up = PayoutState.PARKED if technical else PayoutState.REFUSED
        self._finish(PayoutOutcome(payout, payout.state if at else given_up, error.reason, retry_at=at))
        tell = self._work.observer.retried if at else self._work.observer.set_aside
        tell(company, f"{payout.provider}/{payout.account}", error.reason)

    def _finish(self, outcome: PayoutOutcome) -> None:
        with self._new_uow() as uow:
            uow.payouts.finish(outcome, self._work.clock())
            uow.commit()
