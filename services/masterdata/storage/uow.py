"""Masterdata's unit of work."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from libs.storage.requests import Requests
from libs.storage.uow import UnitOfWork, unobserved

from .mapping_sets import MappingSets
from .masters import MasterRecords
from .rows import REQUEST
from .runs import SyncRuns


class MasterdataUow(UnitOfWork):
    """One transaction over all of masterdata's tables."""

    masters: MasterRecords
    mapping_sets: MappingSets
    sync_runs: SyncRuns
    requests: Requests

    def opened(self) -> None:
        self.masters = MasterRecords(self.connection)
        self.mapping_sets = MappingSets(self.connection)
        self.sync_runs = SyncRuns(self.connection)
        self.requests = Requests(self.connection, REQUEST)


class MasterdataUowFactory:
    """Makes units of work on one engine; `read_only` ones see one moment and block nobody."""

    def __init__(self, engine: Engine, observe: Callable[[str], None] = unobserved) -> None:
        self._engine = engine
        self._observe = observe

    def __call__(self, *, read_only: bool = False) -> MasterdataUow:
        return MasterdataUow(self._engine, self._observe, read_only=read_only)


NewUow = MasterdataUowFactory
