"""Recon's handlers and workers, put together from their ports: by `main` for a process, by the simulation for one
thread on a virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from libs.events import Clock, IdSource, Settlement
from libs.storage.sealer import Sealer

from .domain.files import FileToImport, ImportedFile
from .domain.settings import Settings
from .domain.settlement import StoredSettlement
from .engine.passes import match
from .handlers.import_settlement import import_settlement, import_settlement_file
from .handlers.import_statement import import_statement
from .handlers.ledger_ports import Ledger
from .handlers.ports import PutBack, Tracing, uncounted
from .storage import TABLES, DatabaseEngine, Recons
from .workers.apply import ApplyWorker
from .workers.differences import DifferenceWorker
from .workers.match import MatchWorker
from .workers.record import RecordWorker
from .workers.watch import WatchWorker

Observer = Callable[[str], None]


def unobserved(point: str) -> None:
    """The observer that does nothing."""


@dataclass(frozen=True, slots=True)
class Recon:
    """What can be called and run. Each worker's `run_once` returns how much it did."""

    new_uow: Recons
    clock: Clock
    ids: IdSource
    tracing: Tracing
    settings: Settings
    record: RecordWorker
    watch: WatchWorker
    match: MatchWorker
    apply: ApplyWorker
    differences: DifferenceWorker
    sealer: Sealer

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

    def import_statement(self, file: FileToImport, chunks: Iterable[bytes]) -> ImportedFile:
        return import_statement(file, chunks, self.new_uow, self.clock, self.ids, self.tracing)

    def import_settlement_file(self, file: FileToImport, chunks: Iterable[bytes]) -> ImportedFile:
        return import_settlement_file(file, chunks, self.new_uow, self.clock, self.ids, self.tracing, self.settings)

    def import_settlement(self, settlement: Settlement, delivery: str, transaction_id: str) -> StoredSettlement:
        return import_settlement(settlement, delivery, transaction_id, self.new_uow, self.clock)


def build_recon(
    engine: DatabaseEngine,
    ledger: Ledger,
    clock: Clock,
    ids: IdSource,
    rng: random.Random,
    settings: Settings,
    *,
    tracing: Tracing,
    owner: str = "recon",
    observe: Observer = unobserved,
    put_back: PutBack = uncounted,
) -> Recon:
    """Everything on a migrated database. `observe` is told of each commit, before it and after it."""
    new_uow = Recons(engine, observe)
    return Recon(
        new_uow=new_uow,
        clock=clock,
        ids=ids,
        tracing=tracing,
        settings=settings,
        record=RecordWorker(new_uow, ledger, clock=clock, rng=rng, tracing=tracing, owner=owner, put_back=put_back),
        watch=WatchWorker(new_uow, ledger, clock=clock, companies=settings.companies),
        match=MatchWorker(new_uow, match, clock=clock, tracing=tracing, settings=settings),
        apply=ApplyWorker(
            new_uow, ledger, clock=clock, rng=rng, tracing=tracing, owner=owner, settings=settings, put_back=put_back
        ),
        differences=DifferenceWorker(new_uow, clock=clock, settings=settings),
        sealer=Sealer(new_uow, TABLES),
    )
