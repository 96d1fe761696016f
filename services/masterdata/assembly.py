"""Masterdata's use cases and workers, put together from their ports: by `main` for a process, by tests and the
simulation for one thread on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from libs.events import Clock, IdSource
from libs.odoo.port import Odoo
from libs.storage.sealer import Sealer

from .adapters.mapping_yaml import read_mapping
from .adapters.odoo_masters import OdooMasters
from .domain.mapping_set import MappingSet
from .domain.sync import SyncRun
from .handlers.mapping_sets import approve_mapping_set, propose_mapping_set
from .handlers.ports import ReadMapping, Source
from .handlers.resolve_references import Resolver
from .handlers.sync_masterdata import odoo_company_of, sync_masterdata
from .storage import TABLES, Masterdatas
from .workers.sync import SyncWorker


@dataclass(frozen=True, slots=True)
class World:
    """All that masterdata needs from outside. `companies` maps ours to Odoo's ids; empty: the only one there is."""

    new_uow: Masterdatas
    source: Source
    read_mapping: ReadMapping
    clock: Clock
    ids: IdSource
    companies: Mapping[str, int] = field(default_factory=dict)
    sync_interval_seconds: float = 0.0  # 0: only when asked


class Masterdata:
    """What can be run and asked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.resolver = Resolver(world.new_uow, world.read_mapping)
        self.sealer = Sealer(world.new_uow, TABLES)
        self._syncs = SyncWorker(
            self.sync, world.new_uow, world.clock, world.ids, world.sync_interval_seconds, tuple(world.companies)
        )

    def workers(self) -> dict[str, Callable[[], int]]:
        """Each worker's `run_once`, by name."""
        workers: dict[str, Callable[[], int]] = {"sealer": self.sealer.run_once}
        if self.world.sync_interval_seconds:
            workers["sync"] = self._syncs.run_once
        return workers

    def sync(self, company: str, actor: str, request_id: str) -> SyncRun:
        """See `sync_masterdata`."""
        world = self.world
        odoo_company = odoo_company_of(company, world.companies)
        return sync_masterdata(
            company, odoo_company, actor, request_id, world.source, world.new_uow, world.clock, world.ids
        )

    def propose(self, company: str, yaml: str, actor: str, request_id: str) -> MappingSet:
        """See `propose_mapping_set`."""
        world = self.world
        return propose_mapping_set(
            company, yaml, actor, request_id, world.read_mapping, world.new_uow, world.clock, world.ids
        )

    def approve(self, company: str, number: int, content_digest: str, actor: str, request_id: str) -> MappingSet:
        """See `approve_mapping_set`."""
        world = self.world
        return approve_mapping_set(
            company,
            number,
            content_digest,
            actor,
            request_id,
            world.read_mapping,
            world.new_uow,
            world.clock,
            world.ids,
        )


def build_masterdata(
    new_uow: Masterdatas,
    odoo: Odoo,
    clock: Clock,
    ids: IdSource,
    *,
    companies: Mapping[str, int] | None = None,
    sync_interval_seconds: float = 0.0,
) -> Masterdata:
    """Masterdata in this process: `Masterdatas(engine)` on a migrated database, reading Odoo as the user of `odoo`."""
    return Masterdata(
        World(
            new_uow=new_uow,
            source=OdooMasters(odoo),
            read_mapping=read_mapping,
            clock=clock,
            ids=ids,
            companies=companies or {},
            sync_interval_seconds=sync_interval_seconds,
        )
    )
