"""Masterdata's use cases and workers, put together: by `main` for a process, by tests and the simulation for one thread
on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from libs.events import Clock, IdSource
from libs.odoo.port import Odoo
from libs.storage.sealer import Sealer

from .adapters.mapping_yaml import read_mapping
from .adapters.odoo_masters import OdooMasters
from .handlers.mapping_sets import MappingReview
from .handlers.resolve_references import Resolver
from .handlers.sync_masterdata import MasterdataSync
from .storage import TABLES, MasterdataUowFactory
from .workers.sync import SyncWorker


class Masterdata:
    """What can be run and asked, on a migrated database, reading Odoo as the user of `odoo`."""

    def __init__(
        self,
        new_uow: MasterdataUowFactory,
        odoo: Odoo,
        clock: Clock,
        ids: IdSource,
        *,
        companies: Mapping[str, int] | None = None,
        sync_interval_seconds: float = 0.0,
    ) -> None:
        """`companies` maps ours to Odoo's ids; none: the only one there is. An interval of 0: read only when asked."""
        configured = companies or {}
        self.new_uow = new_uow
        self.resolver = Resolver(new_uow, read_mapping)
        self.sync = MasterdataSync(new_uow, OdooMasters(odoo), configured, clock, ids)
        self.review = MappingReview(new_uow, read_mapping, clock, ids)
        self.sealer = Sealer(new_uow, TABLES)
        self._workers: dict[str, Callable[[], int]] = {"sealer": self.sealer.run_once}
        if sync_interval_seconds:
            syncs = SyncWorker(self.sync, new_uow, clock, ids, sync_interval_seconds, tuple(configured))
            self._workers["sync"] = syncs.run_once

    def workers(self) -> dict[str, Callable[[], int]]:
        """Each worker's `run_once`, by name."""
        return self._workers
