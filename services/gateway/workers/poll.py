"""Fetches what a provider's API lists. Each page is a delivery of its own; translating it is another worker's work."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from libs.errors import ConcordError
from libs.errors.retry import RetryPolicy
from libs.service.work import WorkContext
from providers.base import ListPlace, Polls

from ..domain.errors import SourceUnknown
from ..domain.source import Cursor, PollPlan, SourceAccount
from ..handlers.ports import Accounts, ProviderApi, source_of
from ..handlers.receive import StoreDelivery, fetched
from ..storage.uow import NewUow

DEEP_EVERY_SECONDS = 600
SHALLOW_SECONDS = 20
LEASE_SECONDS = 120.0

# A source is asked again however often it failed.
FOR_EVER = RetryPolicy(cap_seconds=900.0, max_attempts=2**31)


class PollWorker:
    """One page a run, stored and its place noted, so that a crash repeats a page and never skips one.

    A window between two deep ones looks back a few seconds only. One that has more than a page becomes a deep one.
    An API that fails is asked again with growing pauses, for ever: a poll has no budget to spend.
    """

    def __init__(
        self, new_uow: NewUow, accounts: Accounts, api: ProviderApi, store: StoreDelivery, work: WorkContext
    ) -> None:
        self._new_uow = new_uow
        self._accounts = accounts
        self._api = api
        self._store = store
        self._work = work

    def run_once(self, only: str = "") -> int:
        """1 if a page was fetched (of `only`, if named); raises what the API met, after noting when to ask again."""
        with self._new_uow() as uow:
            claimed = uow.cursors.claim(
                among=[only] if only else self._polled(),
                owner=self._work.owner,
                now=self._work.clock(),
                lease_seconds=LEASE_SECONDS,
            )
            if claimed is None:
                return 0
            uow.commit()
        cursor = claimed
        deep = bool(only) or _is_deep(cursor, self._work.clock())
        try:
            account = self._accounts.find(*_split(cursor.source))
            page = self._fetch(account, cursor if deep else _shallow(cursor))
        except ConcordError as error:
            self._later(cursor, error.reason)
            raise
        plan = account.poll or PollPlan()
        now = self._work.clock()
        after, done = _advanced(cursor, page, plan.overlap_seconds if deep else None, now)
        at = now + timedelta(seconds=plan.interval_seconds) if done else now
        with self._new_uow() as uow:
            uow.cursors.finish(cursor, after, polled=True, at=at, now=now)
            uow.commit()
        return 1

    def _polled(self) -> list[str]:
        """A cursor outlives the configuration that began it: it waits until its source is polled again."""
        return [account.source.interface for account in self._accounts.all() if account.poll is not None]

    def _fetch(self, account: SourceAccount, cursor: Cursor) -> ListPlace:
        provider = account.provider
        if not isinstance(provider, Polls):
            raise SourceUnknown
        body = self._api.fetch(account.source, provider.movements(_instant(cursor.since), cursor.after))
        # Before it is read, so that a page that nobody can read is there to look at; and before its place is noted.
        self._store(fetched(account.source, provider.page_type, body, clock=self._work.clock, ids=self._work.ids))
        return provider.page(body)

    def _later(self, cursor: Cursor, reason: str) -> None:
        now = self._work.clock()
        at = FOR_EVER.next_try(cursor.attempts, now, self._work.rng) or now + timedelta(hours=1)
        with self._new_uow() as uow:
            uow.cursors.finish(cursor, cursor, polled=False, at=at, now=now)
            uow.commit()
        source = source_of(self._accounts, *_split(cursor.source))
        self._work.observer.retried(source.company, source.interface, reason)


def _is_deep(cursor: Cursor, now: datetime) -> bool:
    """An open window is; of the others the first in each span of ten minutes."""
    if cursor.after or cursor.polled_at is None:
        return True
    return int(cursor.polled_at.timestamp()) // DEEP_EVERY_SECONDS != int(now.timestamp()) // DEEP_EVERY_SECONDS


def _shallow(cursor: Cursor) -> Cursor:
    return replace(cursor, since=max(cursor.since, cursor.position - SHALLOW_SECONDS))


def _advanced(cursor: Cursor, page: ListPlace, overlap_seconds: int | None, now: datetime) -> tuple[Cursor, bool]:
    """The place after a page, and whether its window is done. Pages come newest first.

    Without an overlap the window was shallow: the next deep one begins where it would have begun before.
    """
    newest = max(cursor.newest, int(page.newest.timestamp())) if page.newest else cursor.newest
    if page.has_more and page.last_id:
        return replace(cursor, after=page.last_id, newest=newest), False
    # A movement dated in the future must not hide those made until then.
    position = max(cursor.position, min(newest, int(now.timestamp())))
    since = cursor.since if overlap_seconds is None else max(0, position - overlap_seconds)
    return replace(cursor, position=position, since=since, after="", newest=position), True


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _split(interface: str) -> tuple[str, str]:
    provider, _, account = interface.partition("/")
    return provider, account
