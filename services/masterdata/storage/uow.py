"""Masterdata's unit of work."""

from __future__ import annotations

from libs.storage.requests import Requests
from libs.storage.uow import UnitOfWork, UowFactory

from .mapping_sets import MappingSets
from .masters import MasterRecords
from .proofs import PROOFS
from .runs import SyncRuns
from .tables import REQUEST


class MasterdataUow(UnitOfWork):
    """One transaction over all of masterdata's tables."""

    proofs = PROOFS

    masters: MasterRecords
    mapping_sets: MappingSets
    sync_runs: SyncRuns
    requests: Requests

    def opened(self) -> None:
        self.masters = MasterRecords(self.connection)
        self.mapping_sets = MappingSets(self.connection)
        self.sync_runs = SyncRuns(self.connection)
        self.requests = Requests(self.connection, REQUEST)


class MasterdataUowFactory(UowFactory[MasterdataUow]):
    kind = MasterdataUow


NewUow = MasterdataUowFactory
