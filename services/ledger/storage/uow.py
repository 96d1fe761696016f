"""The ledger's unit of work."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from libs.storage.requests import Requests
from libs.storage.uow import UnitOfWork, unobserved

from ..domain.committed import Committed
from .cases import Cases
from .changes import PostingChanges
from .events import RecordedEvents
from .exchange_entries import ExchangeEntries
from .matches import AppliedMatches
from .postings import Postings
from .proofs import PROOFS
from .stories import StoryReader
from .story_queue import StoryQueue
from .tables import REQUEST
from .trail import LedgerTrail

Listener = Callable[[Committed], None]


def unheard(committed: Committed) -> None:
    """The listener that does nothing."""


class LedgerUow(UnitOfWork):
    """One transaction with the ledger's repositories.

    `listen` is told what each commit did, once it is durable; it must not fail and not take long.
    """

    proofs = PROOFS

    events: RecordedEvents
    stories: StoryReader
    postings: Postings
    cases: Cases
    requests: Requests
    matches: AppliedMatches
    trail: LedgerTrail
    changes: PostingChanges
    story_queue: StoryQueue
    exchange_entries: ExchangeEntries

    def __init__(
        self,
        engine: Engine,
        observe: Callable[[str], None] = unobserved,
        listen: Listener = unheard,
        *,
        read_only: bool = False,
    ) -> None:
        super().__init__(engine, observe, read_only=read_only)
        self._listen = listen
        self._committed = Committed()

    def opened(self) -> None:
        committed = self._committed = Committed()
        self.events = RecordedEvents(self.connection, committed)
        self.stories = StoryReader(self.connection)
        self.postings = Postings(self.connection, committed)
        self.cases = Cases(self.connection)
        self.requests = Requests(self.connection, REQUEST)
        self.matches = AppliedMatches(self.connection, committed)
        self.trail = LedgerTrail(self.connection)
        self.changes = PostingChanges(self.connection)
        self.story_queue = StoryQueue(self.connection)
        self.exchange_entries = ExchangeEntries(self.connection)

    def commit(self) -> None:
        """See `UnitOfWork.commit`."""
        super().commit()
        self._listen(self._committed)


class LedgerUowFactory:
    """Makes units of work on one engine; `read_only` ones see one moment and block nobody."""

    def __init__(self, engine: Engine, observe: Callable[[str], None] = unobserved, listen: Listener = unheard) -> None:
        self._engine = engine
        self._observe = observe
        self._listen = listen

    def __call__(self, *, read_only: bool = False) -> LedgerUow:
        return LedgerUow(self._engine, self._observe, self._listen, read_only=read_only)


NewUow = LedgerUowFactory
