"""One transaction around one use case.

A service derives its own unit of work and makes its repositories in `opened`:

    class LedgerUnitOfWork(UnitOfWork):
        events: Events

        def opened(self) -> None:
            self.events = Events(self.connection)

    with LedgerUnitOfWork(engine) as uow:
        uow.events.add_all(...)
        uow.commit()

Leaving the block without `commit` rolls back.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

from sqlalchemy import Connection, Engine

from .audit import PENDING, PendingEntries
from .engine import connect, reading
from .errors import StorageConflict
from .proofs import Proofs

BEFORE_COMMIT = "before commit"
AFTER_COMMIT = "after commit"

T = TypeVar("T")
Uow = TypeVar("Uow", bound="UnitOfWork")


def unobserved(point: str) -> None:
    """The observer that does nothing."""


class UnitOfWork:
    """A transaction as a context manager: `connection` and one `commit`.

    `observe` is told of each commit, before it and after it. What it raises goes to the caller, and on the first of the
    two points the transaction is rolled back: so a process that dies there can be played.
    """

    connection: Connection
    proofs: ClassVar[Proofs | None] = None  # each service's own; without them audit entries carry no rows' digests

    def __init__(self, engine: Engine, observe: Callable[[str], None] = unobserved, *, read_only: bool = False) -> None:
        self._engine = engine
        self._observe = observe
        self._read_only = read_only

    def opened(self) -> None:
        """Called once `connection` is there. Services make their repositories here."""

    def commit(self) -> None:
        """Make everything durable; audit entries come last, with the digests of their subjects' rows.

        Raises `StorageConflict`, `StorageUnavailable` or `StorageFull`.
        """
        self._entries.write(self.connection, self.proofs)
        self._observe(BEFORE_COMMIT)
        self.connection.commit()
        self._observe(AFTER_COMMIT)

    def __enter__(self) -> Self:
        self._reading = reading(self._engine) if self._read_only else None
        self.connection = self._reading.__enter__() if self._reading else connect(self._engine)
        self._entries = PendingEntries()
        self.connection.execution_options(**{PENDING: self._entries})
        self.opened()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.connection.close()  # rolls back what was not committed


class UowFactory(Generic[Uow]):
    """Makes units of work on one engine; `read_only` ones see one moment and block nobody."""

    kind: type[Uow]  # each service's own

    def __init__(self, engine: Engine, observe: Callable[[str], None] = unobserved) -> None:
        self._engine = engine
        self._observe = observe

    def __call__(self, *, read_only: bool = False) -> Uow:
        return self.kind(self._engine, self._observe, read_only=read_only)


def once_more(work: Callable[[], T]) -> T:
    """The answer of `work`, which is run a second time if it lost a race the first time.

    The unique index decides races; the loser runs again and finds the winner's row.
    """
    try:
        return work()
    except StorageConflict:
        return work()
