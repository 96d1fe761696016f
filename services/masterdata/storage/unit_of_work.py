"""Masterdata's unit of work."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from libs.storage.uow import UnitOfWork, unobserved

from .mapping_sets import MappingSets
from .masters import Masters
from .runs import Requests, SyncRuns


class MasterdataUnitOfWork(UnitOfWork):
    """One transaction with masterdata's repositories."""

    masters: Masters
    mapping_sets: MappingSets
    sync_runs: SyncRuns
    requests: Requests

    def opened(self) -> None:
        self.masters = Masters(self.connection)
        self.mapping_sets = MappingSets(self.connection)
        self.sync_runs = SyncRuns(self.connection)
        self.requests = Requests(self.connection)


class Masterdatas:
    """Makes units of work on one engine: `ports.NewUow`."""

    def __init__(self, engine: Engine, observe: Callable[[str], None] = unobserved) -> None:
        self._engine = engine
        self._observe = observe

    def __call__(self, *, read_only: bool = False) -> MasterdataUnitOfWork:
        return MasterdataUnitOfWork(self._engine, self._observe, read_only=read_only)
