"""The ledger's unit of work."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from libs.storage.uow import UnitOfWork, unobserved

from .cases import Cases
from .events import Events
from .matches import Matches
from .postings import Postings
from .requests import Requests
from .settlements import Settlements
from .stories import StoryReader
from .walk import WalkReader


def unheard(queue: str) -> None:
    """The listener that does nothing."""


class LedgerUnitOfWork(UnitOfWork):
    """One transaction with the ledger's repositories.

    After a commit `wake` is told which queues got work: `build`, `post`, `match`, `seal`.
    """

    events: Events
    stories: StoryReader
    postings: Postings
    cases: Cases
    requests: Requests
    matches: Matches
    walk: WalkReader
    settlements: Settlements

    def __init__(
        self,
        engine: Engine,
        observe: Callable[[str], None] = unobserved,
        wake: Callable[[str], None] = unheard,
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(engine, observe, read_only=read_only)
        self._wake = wake
        self._signalled: set[str] = set()

    def opened(self) -> None:
        self._signalled = set()
        signal = self._signalled.add
        self.events = Events(self.connection, signal)
        self.stories = StoryReader(self.connection)
        self.postings = Postings(self.connection, signal)
        self.cases = Cases(self.connection)
        self.requests = Requests(self.connection)
        self.matches = Matches(self.connection, signal)
        self.walk = WalkReader(self.connection)
        self.settlements = Settlements(self.connection)

    def commit(self) -> None:
        """See `UnitOfWork.commit`."""
        super().commit()
        for queue in sorted(self._signalled):
            self._wake(queue)


class Ledgers:
    """Makes units of work on one engine: `ports.NewUow`."""

    def __init__(
        self, engine: Engine, observe: Callable[[str], None] = unobserved, wake: Callable[[str], None] = unheard
    ) -> None:
        self._engine = engine
        self._observe = observe
        self._wake = wake

    def __call__(self, *, read_only: bool = False) -> LedgerUnitOfWork:
        return LedgerUnitOfWork(self._engine, self._observe, self._wake, read_only=read_only)
