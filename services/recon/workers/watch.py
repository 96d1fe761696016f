"""Learns from the ledger what stands in Odoo, and what of it is open."""

from __future__ import annotations

from collections.abc import Sequence

from libs.service.work import WorkContext

from ..domain.learning import item_of
from ..handlers.ports import LedgerChange, ReconLedger
from ..storage.uow import NewUow


class WatchWorker:
    """Follows each company's changes from the token that the last commit kept: none is missed, none counts twice."""

    def __init__(
        self,
        new_uow: NewUow,
        ledger: ReconLedger,
        work: WorkContext,
        *,
        companies: Sequence[str] = (),
        batch: int = 500,
    ) -> None:
        self._new_uow = new_uow
        self._ledger = ledger
        self._work = work
        self._companies = tuple(companies)
        self._batch = batch
        self._begun = False

    def run_once(self) -> int:
        """How many changes were read: all that are there now."""
        if not self._begun:
            self._begin()
        with self._new_uow(read_only=True) as uow:
            companies = uow.progress.companies()
        return sum(self._follow(company) for company in companies)

    def _begin(self) -> None:
        with self._new_uow() as uow:
            uow.progress.ensure(self._companies)
            uow.commit()
        self._begun = True

    def _follow(self, company: str) -> int:
        done = 0
        while True:
            with self._new_uow(read_only=True) as uow:
                token = uow.progress.get(company).token
            changes = self._ledger.read_changes(company, token, self._batch)
            if not changes or not self._learn(company, token, changes):
                return done
            done += len(changes)

    def _learn(self, company: str, token: str, changes: Sequence[LedgerChange]) -> bool:
        """False where another process followed the same changes meanwhile."""
        now = self._work.clock()
        found = (item_of(change.posting, now) for change in changes)
        items = [item for item in found if item is not None]
        with self._new_uow() as uow:
            if not uow.progress.learned(company, token, changes[-1].token):
                return False
            if items and uow.items.learn(items):
                uow.progress.news(company)
            uow.commit()
        return True
