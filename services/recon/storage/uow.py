"""Recon's unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from libs.handover import EventOutcome
from libs.handover.store import OutboundEvents, OutboundTables
from libs.storage.requests import Requests
from libs.storage.uow import UnitOfWork, UowFactory

from .differences import Differences, ProgressRows
from .files import Files, Statements
from .items import Items
from .mapping import SERVICE
from .matches import Matches
from .proofs import PROOFS
from .settlements import Settlements
from .tables import ALIAS, OUTBOUND_EVENT, REQUEST, TABLES
from .trail import ReconTrail

OUTBOUND = OutboundTables(OUTBOUND_EVENT, ALIAS, TABLES, actor=SERVICE, recorded="RECORDED")


class ReconUow(UnitOfWork):
    """One transaction over all of recon's tables."""

    proofs = PROOFS

    files: Files
    statements: Statements
    events: OutboundEvents
    settlements: Settlements
    items: Items
    matches: Matches
    differences: Differences
    progress: ProgressRows
    trail: ReconTrail
    requests: Requests

    def opened(self) -> None:
        self.files = Files(self.connection)
        self.statements = Statements(self.connection)
        self.events = OutboundEvents(self.connection, OUTBOUND)
        self.settlements = Settlements(self.connection)
        self.items = Items(self.connection)
        self.matches = Matches(self.connection)
        self.differences = Differences(self.connection)
        self.progress = ProgressRows(self.connection)
        self.trail = ReconTrail(self.connection)
        self.requests = Requests(self.connection, REQUEST)

    def handed_over(self, outcomes: Sequence[EventOutcome], now: datetime) -> None:
        """An event that the ledger does not have is a difference."""
        for company in sorted({outcome.stored.event.company for outcome in outcomes if outcome.state.is_set_aside}):
            self.progress.news(company)


class ReconUowFactory(UowFactory[ReconUow]):
    kind = ReconUow


NewUow = ReconUowFactory
