"""Recon's handlers and workers, put together: by `main` for a process, by the simulation for one thread on a virtual
clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from libs.access import EVERYTHING, AccessScope
from libs.events import Settlement
from libs.handover.worker import HandoverWorker
from libs.service.work import WorkContext
from libs.storage.sealer import Sealer
from libs.storage.uow import unobserved
from libs.trail import QueueLength

from .domain.files import ImportedFile, IncomingFile
from .domain.settings import Settings
from .domain.settlement import StoredSettlement
from .engine import match
from .handlers.imports.settlement import import_settlement
from .handlers.imports.settlement_report import import_settlement_file
from .handlers.imports.statement import import_statement
from .handlers.ports import Matcher, ReconLedger
from .storage import TABLES, DatabaseEngine
from .storage.uow import NewUow, ReconUowFactory
from .workers.apply import ApplyWorker
from .workers.differences import DifferenceWorker
from .workers.match import MatchWorker
from .workers.watch import WatchWorker


@dataclass(frozen=True, slots=True)
class Recon:
    """What can be called and run. Each worker's `run_once` returns how much it did."""

    new_uow: NewUow
    work: WorkContext
    settings: Settings
    record: HandoverWorker
    watch: WatchWorker
    match: MatchWorker
    apply: ApplyWorker
    differences: DifferenceWorker
    sealer: Sealer

    def queues(self) -> list[QueueLength]:
        """What waits. It only reads: a scrape waits for no writer, and no writer for it."""
        with self.new_uow(read_only=True) as uow:
            return uow.trail.queues(self.work.clock())

    def unmatched_lines(self) -> dict[tuple[str, str], int]:
        """The number of bank lines that nothing explains, by company and interface."""
        with self.new_uow(read_only=True) as uow:
            return uow.items.unmatched_lines()

    def workers(self) -> dict[str, Callable[[], int]]:
        """By name, in the order of the walk."""
        return {
            "record": self.record.run_once,
            "watch": self.watch.run_once,
            "match": self.match.run_once,
            "differences": self.differences.run_once,
            "apply": self.apply.run_once,
            "sealer": self.sealer.run_once,
        }

    def import_statement(
        self, file: IncomingFile, chunks: Iterable[bytes], scope: AccessScope = EVERYTHING
    ) -> ImportedFile:
        return import_statement(file, chunks, self.new_uow, self.work, scope)

    def import_settlement_file(self, file: IncomingFile, chunks: Iterable[bytes]) -> ImportedFile:
        return import_settlement_file(file, chunks, self.new_uow, self.work, self.settings)

    def import_settlement(self, settlement: Settlement, delivery: str, transaction_id: str) -> StoredSettlement:
        return import_settlement(settlement, delivery, transaction_id, self.new_uow, self.work.clock)


def build_recon(
    engine: DatabaseEngine,
    ledger: ReconLedger,
    work: WorkContext,
    settings: Settings,
    *,
    observe: Callable[[str], None] = unobserved,
    matcher: Matcher = match,
) -> Recon:
    """Everything on a migrated database. `observe` is told of each commit, before it and after it."""
    new_uow = ReconUowFactory(engine, observe)
    return Recon(
        new_uow=new_uow,
        work=work,
        settings=settings,
        record=HandoverWorker(new_uow, ledger, work, step="handed_on", batch=500, lease_seconds=120.0),
        watch=WatchWorker(new_uow, ledger, work, companies=settings.companies),
        match=MatchWorker(new_uow, matcher, work),
        apply=ApplyWorker(new_uow, ledger, work, settings),
        differences=DifferenceWorker(new_uow, work, settings),
        sealer=Sealer(new_uow, TABLES),
    )
