"""Reads Odoo again from time to time, so that an archived account or a new rate is known without being asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from libs.access import EVERYTHING
from libs.events import Clock, IdSource

from ..domain.errors import CompanyTaken
from ..domain.sync import SyncRun
from ..storage.uow import NewUow

ACTOR = "masterdata"
COMPANIES_AT_MOST = 1000

Sync = Callable[[str, str, str], SyncRun]  # company, actor, request id


class SyncWorker:
    """Syncs each company whose last run is older than the interval; at most one run a company and interval.

    A run that fails waits for the next interval too: it is on record, and people can sync by hand.
    """

    def __init__(
        self,
        sync: Sync,
        new_uow: NewUow,
        clock: Clock,
        ids: IdSource,
        interval_seconds: float,
        configured: Sequence[str],
    ) -> None:
        """`configured` companies are synced even before anybody asked for them once."""
        self._sync = sync
        self._new_uow = new_uow
        self._clock = clock
        self._ids = ids
        self._interval = timedelta(seconds=interval_seconds)
        self._configured = tuple(configured)

    def run_once(self) -> int:
        """The number of companies that were read."""
        return sum(self._run(company) for company in self._due())

    def _due(self) -> list[str]:
        now = self._clock()
        with self._new_uow(read_only=True) as uow:
            known = [company.company for company in uow.masters.companies(COMPANIES_AT_MOST, None, EVERYTHING).items]
            companies = dict.fromkeys((*self._configured, *known))
            last = {company: uow.sync_runs.last(company) for company in companies}
        return [company for company, run in last.items() if run is None or run.ended_at + self._interval <= now]

    def _run(self, company: str) -> bool:
        request_id = str(UUID(self._ids()))
        try:
            self._sync(company, ACTOR, request_id)
        except CompanyTaken:
            return False  # a configuration that a person must mend; their own sync says so
        return True
