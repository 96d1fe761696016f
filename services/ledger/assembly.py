"""The ledger's handlers and workers, put together from their ports: by `main` for a process, by the simulation for
one thread on a virtual clock."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from libs.events import Clock, IdSource
from libs.odoo.port import Odoo
from libs.storage.sealer import Sealer
from libs.telemetry.odoo import of_company
from libs.trail import QueueLength

from .adapters.company_books import MasterdataBooks
from .adapters.masterdata import MasterdataClient, Stub
from .adapters.odoo_journal import OdooJournal
from .domain.errors import EventConflict
from .domain.event import RecordedEvent
from .handlers.ports import CompanyBooks, Journal, Masterdata
from .handlers.record_events import Told, record_events
from .storage import TABLES
from .storage.uow import LedgerUowFactory
from .workers.build import BuildConfig, BuildWorker
from .workers.hold import HoldWorker
from .workers.match import MatchWorker
from .workers.match_queue import Matches
from .workers.post import PostWorker
from .workers.queues import Postings, Stories
from .workers.reconcile import ReconcileWorker


@dataclass(frozen=True, slots=True)
class World:
    """All that the ledger needs from outside. `owner` names this process among all that share the database."""

    new_uow: LedgerUowFactory
    masterdata: Masterdata
    journal_of: Callable[[str], Journal]
    books: CompanyBooks
    clock: Clock
    ids: IdSource
    rng: random.Random
    owner: str = "ledger"
    build: BuildConfig = field(default_factory=BuildConfig)
    post_batch: int = 100  # documents a batch to Odoo


@dataclass(frozen=True, slots=True)
class Ledger:
    """What can be run. Each worker's `run_once` gives how much it did."""

    world: World
    build: BuildWorker
    post: PostWorker
    reconcile: ReconcileWorker
    match: MatchWorker
    hold: HoldWorker
    sealer: Sealer

    def record(self, told: Sequence[Told]) -> list[RecordedEvent | EventConflict]:
        """One commit for all of them; what a group-commit writer calls."""
        world = self.world
        return record_events(told, world.new_uow, world.clock, world.ids)

    def queues(self) -> list[QueueLength]:
        """What waits. It only reads: a scrape waits for no writer, and no writer for it."""
        with self.world.new_uow(read_only=True) as uow:
            return uow.trail.queues(self.world.clock())

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
    new_uow: LedgerUowFactory,
    masterdata: Stub,
    odoo: Odoo,
    clock: Clock,
    ids: IdSource,
    rng: random.Random,
    *,
    installation: str = "main",
    owner: str = "ledger",
    post_batch: int = 100,
) -> Ledger:
    """The whole ledger without server or threads, on `LedgerUowFactory(engine)` of a migrated database.

    `masterdata` has the methods of `MasterdataServiceStub`, wherever they run.
    """
    client = MasterdataClient(masterdata, clock)
    books = MasterdataBooks(client)

    @functools.cache
    def journal_of(company: str) -> OdooJournal:
        return OdooJournal(of_company(odoo, company), installation, books.currency(company))

    world = World(
        new_uow=new_uow,
        masterdata=client,
        journal_of=journal_of,
        books=books,
        clock=clock,
        ids=ids,
        rng=rng,
        owner=owner,
        post_batch=post_batch,
    )
    return assemble(world)


def assemble(world: World) -> Ledger:
    """Build everything."""
    new_uow, clock, rng, owner = world.new_uow, world.clock, world.rng, world.owner
    return Ledger(
        world=world,
        build=BuildWorker(new_uow, world.masterdata, clock, rng, owner, world.build),
        post=PostWorker(Postings(new_uow, owner, rng), world.journal_of, world.books, clock, world.post_batch),
        reconcile=ReconcileWorker(Stories(new_uow, world.books), world.journal_of, clock),
        match=MatchWorker(Matches(new_uow, world.books, owner, rng), world.journal_of, clock),
        hold=HoldWorker(new_uow, clock, owner),
        sealer=Sealer(new_uow, TABLES),
    )
