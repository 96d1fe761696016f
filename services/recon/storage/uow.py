"""Recon's unit of work."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from libs.storage.uow import UnitOfWork, unobserved

from .differences import Differences, ProgressRows, Requests
from .files import Files, Statements
from .items import Items
from .matches import Matches
from .outbound import Outbound
from .settlements import Settlements
from .trail import ReconTrail


class ReconUow(UnitOfWork):
    """One transaction over all of recon's tables."""

    files: Files
    statements: Statements
    outbound: Outbound
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
        self.outbound = Outbound(self.connection)
        self.settlements = Settlements(self.connection)
        self.items = Items(self.connection)
        self.matches = Matches(self.connection)
        self.differences = Differences(self.connection)
        self.progress = ProgressRows(self.connection)
        self.trail = ReconTrail(self.connection)
        self.requests = Requests(self.connection)


class ReconUowFactory:
    """Makes units of work on one engine."""

    def __init__(self, engine: Engine, observe: Callable[[str], None] = unobserved) -> None:
        self._engine = engine
        self._observe = observe

    def __call__(self, *, read_only: bool = False) -> ReconUow:
        return ReconUow(self._engine, self._observe, read_only=read_only)


NewUow = ReconUowFactory
