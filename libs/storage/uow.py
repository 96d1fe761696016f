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
from typing import Protocol, Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlmodel import Session

from .engine import connect, reading
from .errors import StorageConflict

BEFORE_COMMIT = "before commit"
AFTER_COMMIT = "after commit"

UnitOfWorkT_co = TypeVar("UnitOfWorkT_co", covariant=True)
T = TypeVar("T")


class UnitOfWorkFactory(Protocol[UnitOfWorkT_co]):
    """Makes a unit of work for each transaction."""

    def __call__(self) -> UnitOfWorkT_co: ...


def unobserved(point: str) -> None:
    """The observer that does nothing."""


class UnitOfWork:
    """A transaction as a context manager: `connection` for Core, `session` for SQLModel, one `commit`.

    `observe` is told of each commit, before it and after it. What it raises goes to the caller, and on the first of the
    two points the transaction is rolled back: so a process that dies there can be played.
    """

    connection: Connection

    def __init__(self, engine: Engine, observe: Callable[[str], None] = unobserved, *, read_only: bool = False) -> None:
        self._engine = engine
        self._observe = observe
        self._read_only = read_only
        self._session: Session | None = None

    def opened(self) -> None:
        """Called once `connection` is there. Services make their repositories here."""

    @property
    def session(self) -> Session:
        """A SQLModel session in this transaction. `commit` flushes it."""
        if self._session is None:
            self._session = Session(self.connection, expire_on_commit=False)
        return self._session

    def commit(self) -> None:
        """Make everything durable. Raises `StorageConflict`, `StorageUnavailable` or `StorageFull`."""
        if self._session is not None:
            self._session.flush()
        self._observe(BEFORE_COMMIT)
        self.connection.commit()
        self._observe(AFTER_COMMIT)

    def __enter__(self) -> Self:
        self._reading = reading(self._engine) if self._read_only else None
        self.connection = self._reading.__enter__() if self._reading else connect(self._engine)
        self.opened()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        self.connection.close()  # rolls back what was not committed


def once_more(work: Callable[[], T]) -> T:
    """The answer of `work`, which is run a second time if it lost a race the first time.

    The unique index decides races; the loser runs again and finds the winner's row.
    """
    try:
        return work()
    except StorageConflict:
        return work()
