"""Asks what a payout pays out, page by page."""

from __future__ import annotations

from datetime import timedelta

from libs.errors import ConcordError
from libs.errors.retry import OVERNIGHT
from libs.service.work import WorkContext
from providers.base import ComposesPayouts, ListPlace, Polls
from providers.errors import ApiRefused, ShapeInvalid

from ..domain.errors import SourceUnknown
from ..domain.payout import PayoutOutcome, PayoutState, StoredPayout
from ..domain.source import SourceAccount
from ..handlers.ports import Accounts, ProviderApi, source_of
from ..handlers.receive import StoreDelivery, fetched
from ..storage.uow import NewUow

MAX_PAGES = 5000
LEASE_SECONDS = 120.0
PAUSE = timedelta(minutes=15)


class ComposePayoutWorker:
    """Fetches one payout's composition. Every answer is stored as a delivery before it is read.

    A composition that is still being made is asked for again after a pause; that is no failure.
    """

    def __init__(
        self, new_uow: NewUow, accounts: Accounts, api: ProviderApi, store: StoreDelivery, work: WorkContext
    ) -> None:
        self._new_uow = new_uow
        self._accounts = accounts
        self._api = api
        self._store = store
        self._work = work

    def run_once(self) -> int:
        """1 if a payout was looked at; raises a technical failure after noting when to try again."""
        work = self._work
        with self._new_uow() as uow:
            claimed = uow.payouts.claim(
                PayoutState.WAITING, limit=1, owner=work.owner, now=work.clock(), lease_seconds=LEASE_SECONDS
            )
            if claimed:
                uow.commit()
        for payout in claimed:
            try:
                self._compose(payout)
            except ConcordError as error:
                # A refusal may be of a key that is being changed, so it is no last word either.
                again = error.kind.is_technical or isinstance(error, ApiRefused)
                self._failed(payout, error, again=again)
                if again:
                    raise
        return len(claimed)

    def _compose(self, payout: StoredPayout) -> None:
        account = self._accounts.find(payout.provider, payout.account)
        provider = account.provider
        if not isinstance(provider, ComposesPayouts):
            raise SourceUnknown
        body = self._api.fetch(account.source, provider.payout(payout.payout_id))
        name = self._keep(account, provider.payout_type, body)
        if not provider.is_composed(body):
            later = self._work.clock() + PAUSE
            self._finish(PayoutOutcome(payout, payout.state, "COMPOSITION_PENDING", retry_at=later))
            return
        renewed: StoredPayout | None = payout
        pages: list[bytes] = []
        place = ListPlace(None, "", has_more=provider.lists_composition(body))
        while place.has_more:
            pages.append(self._api.fetch(account.source, provider.composition(payout.payout_id, place.last_id)))
            self._keep(account, provider.composition_type, pages[-1])
            place = _place(provider, pages)
            with self._new_uow() as uow:
                renewed = uow.payouts.renew(payout, now=self._work.clock(), lease_seconds=LEASE_SECONDS)
                uow.commit()
            if renewed is None:
                return  # another worker has it by now
        assert renewed is not None
        settlement = provider.settlement(account.source, body, pages)
        with self._new_uow() as uow:
            uow.payouts.composed(renewed, settlement, name, self._work.clock())
            uow.commit()

    def _keep(self, account: SourceAccount, delivery_type: str, body: bytes) -> str:
        new = fetched(account.source, delivery_type, body, clock=self._work.clock, ids=self._work.ids)
        return self._store(new).delivery

    def _failed(self, payout: StoredPayout, error: ConcordError, *, again: bool) -> None:
        at = OVERNIGHT.next_try(payout.attempts, self._work.clock(), self._work.rng) if again else None
        self._finish(PayoutOutcome(payout, payout.state if at else PayoutState.PARKED, error.reason, retry_at=at))
        source = source_of(self._accounts, payout.provider, payout.account)
        tell = self._work.observer.retried if at else self._work.observer.set_aside
        tell(source.company, source.interface, error.reason)

    def _finish(self, outcome: PayoutOutcome) -> None:
        with self._new_uow() as uow:
            uow.payouts.finish(outcome, self._work.clock())
            uow.commit()


def _place(provider: ComposesPayouts, pages: list[bytes]) -> ListPlace:
    assert isinstance(provider, Polls), "whoever lists a payout's movements lists movements"
    place = provider.page(pages[-1])
    if place.has_more and len(pages) >= MAX_PAGES:
        raise ShapeInvalid("a payout with more pages than any has")
    return place if place.last_id else ListPlace(None, "", has_more=False)
