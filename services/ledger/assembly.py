"""The ledger's handlers and workers, put together from their ports: by `main` for a process, by the simulation for
one thread on a virtual clock."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libs.odoo.port import Odoo
from libs.service.work import WorkContext
from libs.storage.sealer import Sealer
from libs.telemetry.odoo import of_company
from libs.trail import QueueLength

from .adapters.masterdata import MasterdataClient, Stub
from .adapters.odoo_journal import OdooJournal
from .domain.errors import EventRefused
from .domain.event import RecordedEvent
from .handlers.ports import JournalPort, MasterdataPort
from .handlers.record_events import IncomingEvent, record_events
from .storage import TABLES
from .storage.uow import NewUow
from .workers.build import BuildWorker
from .workers.company import company_of
from .workers.hold import HoldWorker
from .workers.match import WriteMatchWorker
from .workers.post import PostWorker
from .workers.reconcile import ReconcileWorker


@dataclass(frozen=True, slots=True)
class Ledger:
    """What can be run. Each worker's `run_once` gives how much it did."""

    new_uow: NewUow
    work: WorkContext
    build: BuildWorker
    post: PostWorker
    reconcile: ReconcileWorker
    match: WriteMatchWorker
    hold: HoldWorker
    sealer: Sealer

    def record(self, incoming: Sequence[IncomingEvent]) -> list[RecordedEvent | EventRefused]:
        """One commit for all of them; what a group-commit writer calls."""
        return record_events(incoming, self.new_uow, self.work.clock, self.work.ids)

    def queues(self) -> list[QueueLength]:
        """What waits. It only reads: a scrape waits for no writer, and no writer for it."""
        with self.new_uow(read_only=True) as uow:
            return uow.trail.queues(self.work.clock())

    def workers(self) -> dict[str, Callable[[], int]]:
        """By name, in the order of the walk."""
        return {
            "build": self.build.run_once,
            "post": self.post.run_once,
            "reconcile": self.reconcile.run_once,
            "match": self.match.run_once,
            "hold": self.hold.run_once,
            "seal": self.sealer.run_once,
        }


def build_ledger(
    new_uow: NewUow,
    masterdata: Stub,
    odoo: Odoo,
    work: WorkContext,
    *,
    installation: str = "main",
    post_batch: int = 100,
) -> Ledger:
    """The whole ledger without server or threads, on `NewUow(engine)` of a migrated database.

    `masterdata` has the methods of `MasterdataServiceStub`, wherever they run.
    """
    client = MasterdataClient(masterdata, work.clock)

    @functools.cache
    def journal_of(company: str) -> OdooJournal:
        return OdooJournal(of_company(odoo, company), installation, company_of(client, company).currency)

    return assemble(new_uow, client, journal_of, work, post_batch=post_batch)


def assemble(
    new_uow: NewUow,
    masterdata: MasterdataPort,
    journal_of: Callable[[str], JournalPort],
    work: WorkContext,
    *,
    post_batch: int = 100,
) -> Ledger:
    """The same over any masterdata and any journals, by their company; `post_batch` documents a batch to Odoo."""
    return Ledger(
        new_uow=new_uow,
        work=work,
        build=BuildWorker(new_uow, masterdata, work),
        post=PostWorker(new_uow, journal_of, masterdata, work, post_batch),
        reconcile=ReconcileWorker(new_uow, journal_of, masterdata, work),
        match=WriteMatchWorker(new_uow, journal_of, masterdata, work),
        hold=HoldWorker(new_uow, work),
        sealer=Sealer(new_uow, TABLES),
    )
