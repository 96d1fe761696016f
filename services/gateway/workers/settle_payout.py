"""Asks what a payout pays out, page by page, and hands the whole to recon."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta

from libs.errors import ConcordError
from libs.errors.retry import OVERNIGHT, RetryPolicy
from libs.events import Clock, IdSource, Settlement
from libs.service.work import Tracing
from providers.base import ComposesPayouts, Polls, Source
from providers.errors import ApiRefused, ShapeInvalid

from ..domain.errors import SourceUnknown
from ..domain.fact import PayoutState, StoredPayout
from ..handlers.ports import (
    Account,
    Accounts,
    NewUnitOfWork,
    PayoutOutcome,
    ProviderApi,
    PutBack,
    Recon,
    SetAside,
    unobserved,
)
from ..handlers.receive import fetched
from .poll import Store

MAX_PAGES = 5000


class ComposePayoutWorker:
    """Fetches one payout's composition. Every answer is stored as a delivery before it is read.

    A composition that is still being made is asked for again after `pause_seconds`; that is no failure.
    """

    def __init__(
        self,
        new_uow: NewUnitOfWork,
        accounts: Accounts,
        api: ProviderApi,
        store: Store,
        *,
        clock: Clock,
        ids: IdSource,
        rng: random.Random,
        owner: str,
        lease_seconds: float = 120.0,
        pause_seconds: float = 900.0,
        budget: RetryPolicy = OVERNIGHT,
        set_aside: SetAside = unobserved,
        put_back: PutBack = unobserved,
    ) -> None:
        self._new_uow = new_uow
        self._accounts = accounts
        self._api = api
        self._store = store
        self._clock = clock
        self._ids = ids
        self._rng = rng
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._pause_seconds = pause_seconds
        self._budget = budget
        self._set_aside = set_aside
        self._put_back = put_back

    def run_once(self) -> int:
        """1 if a payout was looked at; raises a technical failure after noting when to try again."""
        with self._new_uow() as uow:
            claimed = uow.payouts.claim(
                PayoutState.WAITING, limit=1, owner=self._owner, now=self._clock(), lease_seconds=self._lease_seconds
            )
            if not claimed:
                return 0
            uow.commit()
        payout = claimed[0]
        try:
            self._compose(payout)
        except ConcordError as error:
            self._failed(payout, error)
            if error.kind.is_technical or isinstance(error, ApiRefused):
                raise
        return 1

    def _compose(self, payout: StoredPayout) -> None:
        account = self._accounts.find(payout.provider, payout.account)
        provider = account.provider
        if not isinstance(provider, ComposesPayouts):
            raise SourceUnknown
        body = self._api.fetch(account.source, provider.payout(payout.payout_id))
        name = self._keep(account, provider.payout_type, body)
        if not provider.is_composed(body):
            later = self._clock() + timedelta(seconds=self._pause_seconds)
            self._finish(PayoutOutcome(payout, payout.state, "COMPOSITION_PENDING", retry_at=later))
            return
        renewed: StoredPayout | None = payout
        pages: list[bytes] = []
        after, more = "", provider.lists_composition(body)
        while more:
            pages.append(self._api.fetch(account.source, provider.composition(payout.payout_id, after)))
            self._keep(account, provider.composition_type, pages[-1])
            after, more = self._place(provider, pages)
            with self._new_uow() as uow:
                renewed = uow.payouts.renew(payout, now=self._clock(), lease_seconds=self._lease_seconds)
                uow.commit()
            if renewed is None:
                return  # another worker has it by now
        assert renewed is not None
        settlement = provider.settlement(account.source, body, pages)
        with self._new_uow() as uow:
            uow.payouts.composed(renewed, settlement, name, self._clock())
            uow.commit()

    def _place(self, provider: ComposesPayouts, pages: list[bytes]) -> tuple[str, bool]:
        assert isinstance(provider, Polls), "whoever lists a payout's movements lists movements"
        page = provider.page(pages[-1])
        if page.has_more and len(pages) >= MAX_PAGES:
            raise ShapeInvalid("a payout with more pages than any has")
        return page.last_id, page.has_more and bool(page.last_id)

    def _keep(self, account: Account, delivery_type: str, body: bytes) -> str:
        new = fetched(account.source, delivery_type, body, clock=self._clock, ids=self._ids)
        return self._store(new).delivery

    def _failed(self, payout: StoredPayout, error: ConcordError) -> None:
        # A refusal may be of a key that is being changed, so it is no last word either.
        again = error.kind.is_technical or isinstance(error, ApiRefused)
        at = self._budget.next_try(payout.attempts, self._clock(), self._rng) if again else None
        self._finish(PayoutOutcome(payout, payout.state if at else PayoutState.PARKED, error.reason, retry_at=at))
        source = Source(payout.provider, payout.account, "")
        with suppress(SourceUnknown):
            source = self._accounts.find(payout.provider, payout.account).source
        tell = self._put_back if at else self._set_aside
        tell(source, error.reason)

    def _finish(self, outcome: PayoutOutcome) -> None:
        with self._new_uow() as uow:
            uow.payouts.finish(outcome, self._clock())
            uow.commit()


class ForwardSettlementWorker:
    """Hands composed payouts to recon."""

    def __init__(
        self,
        new_uow: NewUnitOfWork,
        recon: Recon,
        *,
        clock: Clock,
        rng: random.Random,
        tracing: Tracing,
        owner: str,
        lease_seconds: float = 120.0,
        budget: RetryPolicy = OVERNIGHT,
        set_aside: SetAside = unobserved,
        put_back: PutBack = unobserved,
    ) -> None:
        self._new_uow = new_uow
        self._recon = recon
        self._clock = clock
        self._rng = rng
        self._tracing = tracing
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._budget = budget
        self._set_aside = set_aside
        self._put_back = put_back

    def run_once(self) -> int:
        """1 if recon answered for a settlement; raises a technical failure after noting when to try again."""
        with self._new_uow() as uow:
            claimed = uow.payouts.claim(
                PayoutState.COMPOSED, limit=1, owner=self._owner, now=self._clock(), lease_seconds=self._lease_seconds
            )
            if not claimed:
                return 0
            uow.commit()
        payout = claimed[0]
        assert payout.settlement is not None, "a composed payout has its settlement"
        try:
            self._import(payout, payout.settlement)
        except ConcordError as error:
            technical = error.kind.is_technical
            at = self._budget.next_try(payout.attempts, self._clock(), self._rng) if technical else None
            refused = PayoutState.PARKED if technical else PayoutState.REFUSED
            self._finish(PayoutOutcome(payout, payout.state if at else refused, error.reason, retry_at=at))
            tell = self._put_back if at else self._set_aside
            tell(Source(payout.provider, payout.account, payout.settlement.company), error.reason)
            if technical:
                raise
            return 1
        self._finish(PayoutOutcome(payout, PayoutState.FORWARDED))
        return 1

    def _import(self, payout: StoredPayout, settlement: Settlement) -> None:
        attributes = {"concord.delivery": payout.delivery, "concord.interface": settlement.interface}
        with self._tracing.step("settlement_forwarded", payout.transaction_id, None, attributes):
            self._recon.import_settlement(settlement, payout.delivery, payout.transaction_id)

    def _finish(self, outcome: PayoutOutcome) -> None:
        with self._new_uow() as uow:
            uow.payouts.finish(outcome, self._clock())
            uow.commit()
