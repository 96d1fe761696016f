"""Read a company's masters from Odoo and keep what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from libs.errors import ConcordError
from libs.events import Clock, IdSource
from libs.storage.requests import Request

from ..domain.errors import CompanyTaken, CompanyUnknown
from ..domain.records import Reading, StoredCompany
from ..domain.sync import SyncRun, SyncState
from ..storage.uow import MasterdataUow, NewUow
from .ports import MasterSource

OVERTAKEN = "SYNC_OVERTAKEN"


def odoo_company_of(company: str, companies: Mapping[str, int]) -> int:
    """The company's id in Odoo as configured; 0, the only one there is, where nothing is configured.

    Raises `CompanyUnknown`: a typing error must not become a second company.
    """
    if companies and company not in companies:
        raise CompanyUnknown("this company is not configured", field="parent")
    return companies.get(company, 0)


class MasterdataSync:
    """Reads one company's masters from Odoo. Safe to run beside itself: the run that began to read later wins."""

    def __init__(
        self, new_uow: NewUow, source: MasterSource, companies: Mapping[str, int], clock: Clock, ids: IdSource
    ) -> None:
        """`companies`: see `odoo_company_of`."""
        self._new_uow = new_uow
        self._source = source
        self._companies = companies
        self._clock = clock
        self._ids = ids

    def __call__(self, company: str, actor: str, request_id: str) -> SyncRun:
        """One run, from the first read to its commit. A failure to read is a run that FAILED with the failure's reason.

        Raises `CompanyTaken`, `CompanyUnknown` or `RequestIdReused`; a repeated request id returns the first run.
        """
        odoo_company = odoo_company_of(company, self._companies)
        request = Request(request_id, "sync", company, actor)
        with self._new_uow(read_only=True) as uow:
            if known := uow.requests.find(request, SyncRun):
                return known
        began, transaction_id = self._clock(), self._ids()
        run = SyncRun(company, transaction_id, SyncState.FAILED, began, began)
        try:
            reading = self._source.read(company, odoo_company)
        except ConcordError as error:
            return self._fail(run, error.reason, actor, request)
        with self._new_uow() as uow:
            stored = uow.masters.find(company, lock=True)
            _check_company(uow, company, reading, stored)
            # Where another run began to read later and is stored already, what we have may be older than what is there.
            overtaken = stored is not None and stored.read_at > began
            if not overtaken:
                if known := uow.requests.begin(request, SyncRun, began):
                    return known
                run = _stored(uow, run, reading, stored, self._clock())
                uow.sync_runs.add(run, actor, transaction_id)
                uow.requests.answer(request, run)
                uow.commit()
        return self._fail(run, OVERTAKEN, actor, request) if overtaken else run

    def _fail(self, run: SyncRun, reason: str, actor: str, request: Request) -> SyncRun:
        with self._new_uow() as uow:
            if known := uow.requests.begin(request, SyncRun, run.started_at):
                return known
            revision = uow.masters.revision(run.company)
            failed = replace(run, state=SyncState.FAILED, ended_at=self._clock(), reason=reason, revision=revision)
            uow.sync_runs.add(failed, actor, failed.id)
            uow.requests.answer(request, failed)
            uow.commit()
        return failed


def _check_company(uow: MasterdataUow, company: str, reading: Reading, stored: StoredCompany | None) -> None:
    other = uow.masters.of_odoo(reading.entity.odoo_id)
    if other is not None and other.company != company:
        raise CompanyTaken(f"this company of Odoo is kept as {other.company}", field="parent")
    if stored is not None and stored.entity.odoo_id != reading.entity.odoo_id:
        raise CompanyTaken("this name stands for another company of Odoo", field="parent")


def _stored(uow: MasterdataUow, run: SyncRun, reading: Reading, stored: StoredCompany | None, now: datetime) -> SyncRun:
    before = stored.entity if stored else None
    entity = reading.entity
    if before is not None:
        entity = replace(entity, time_zone=before.time_zone, revision=before.revision)
    changed = int(entity != before) + uow.masters.replace(run.company, reading, run.started_at)
    if changed:
        entity = replace(entity, revision=entity.revision + 1)
    uow.masters.put(entity, run.started_at)
    return replace(
        run,
        state=SyncState.DONE,
        ended_at=now,
        records=(("companies", 1), *reading.counts()),
        changed=changed,
        revision=entity.revision,
    )
