"""Fetches a source's movements now, at an operator's wish."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from libs.access import AccessScope
from libs.events import Clock

from ..domain.errors import SourceUnknown
from ..storage.uow import NewUow
from .ports import Accounts

MAX_PAGES = 1000


class PollSource:
    """Wakes the source's cursor and runs polls until it sleeps again, so that all that is there is stored."""

    def __init__(
        self,
        new_uow: NewUow,
        accounts: Accounts,
        run_poll: Callable[[str], int],
        clock: Clock,
        after: Iterable[Callable[[], object]] = (),
    ) -> None:
        """`run_poll` polls one page of a `{provider}/{account}`, 0 if it is not due; `after` wakes workers."""
        self._new_uow = new_uow
        self._accounts = accounts
        self._run_poll = run_poll
        self._clock = clock
        self._after = tuple(after)

    def __call__(self, provider: str, account: str, scope: AccessScope) -> int:
        """Pages fetched. Raises `SourceUnknown`, `ApiUnavailable` or `ApiRefused`."""
        found = self._accounts.find(provider, account)
        if found.poll is None or not scope.allows_company(found.source.company):
            raise SourceUnknown
        with self._new_uow() as uow:
            uow.cursors.wake([found.source.interface], self._clock(), force=True)
            uow.commit()
        pages = 0
        while pages < MAX_PAGES and self._run_poll(found.source.interface):
            pages += 1
        for wake in self._after:
            wake()
        return pages
