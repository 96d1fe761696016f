"""What can go wrong in a database, as errors that a caller can act on.

    ConcordError
    ├── StorageConflict     RETRY      a lock, a serialization failure or a lost race for a unique key
    ├── StorageUnavailable  RETRY      the database can't be reached or gave up; nothing is known of the commit
    ├── StorageFull         RETRY      no room on the disk
    ├── WriterFull          EXHAUSTED  more waits for the group-commit writer than it may hold
    ├── WriterClosed        RETRY      the process is stopping
    └── LeaseLost           STALE      another worker owns the row by now

`ConstraintBroken` is none of them: a row that breaks a check or a foreign key is a bug of ours.

Engines made by `open_engine` raise these in place of SQLAlchemy's errors, wherever a statement runs.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy.engine import ExceptionContext

from libs.errors import ConcordError, Kind

if TYPE_CHECKING:
    import psycopg


class StorageConflict(ConcordError):
    """Somebody else was faster. The same work may succeed if it is run again from its start."""

    kind: ClassVar[Kind] = Kind.RETRY
    reason: ClassVar[str] = "STORAGE_CONFLICT"

    def __init__(self, message: str, *, constraint: str = "") -> None:
        super().__init__(message)
        self.constraint = constraint  # the unique key that was taken, as the database calls it; empty for locks


class StorageUnavailable(ConcordError):
    """The database can't be reached, or broke off. If it did so in a commit, the outcome is unknown."""

    kind: ClassVar[Kind] = Kind.RETRY
    reason: ClassVar[str] = "STORAGE_UNAVAILABLE"


class StorageFull(ConcordError):
    """The database has no room left. Nothing was stored."""

    kind: ClassVar[Kind] = Kind.RETRY
    reason: ClassVar[str] = "STORAGE_FULL"


class WriterFull(ConcordError):
    """Too much waits for the writer already. Nothing was stored."""

    kind: ClassVar[Kind] = Kind.EXHAUSTED
    reason: ClassVar[str] = "WRITER_FULL"


class WriterClosed(ConcordError):
    """The writer takes nothing more, since its process stops. Nothing was stored."""

    kind: ClassVar[Kind] = Kind.RETRY
    reason: ClassVar[str] = "WRITER_CLOSED"


class LeaseLost(ConcordError):
    """The lease ran out or the row went to another worker; what was to be written was not."""

    kind: ClassVar[Kind] = Kind.STALE
    reason: ClassVar[str] = "LEASE_LOST"


class ConstraintBroken(Exception):
    """A row broke a check, a foreign key or NOT NULL: a bug. Names the constraint, never the values."""


STATES: dict[str, type[ConcordError]] = {
    "40001": StorageConflict,  # serialization failure
    "40P01": StorageConflict,  # deadlock
    "55P03": StorageConflict,  # lock timeout
    "53100": StorageFull,
    "57014": StorageUnavailable,  # statement timeout
}
UNAVAILABLE_CLASSES = {"08", "53", "57", "58", "XX"}  # connection, resources, intervention, system, internal
QUOTING_CLASSES = {"22", "23"}  # data exception, integrity violation: the message quotes values
UNIQUE_CODES = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
SQLITE_CODES: dict[int, type[ConcordError]] = {
    sqlite3.SQLITE_BUSY: StorageConflict,
    sqlite3.SQLITE_LOCKED: StorageConflict,
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_IOERR: StorageUnavailable,
    sqlite3.SQLITE_CANTOPEN: StorageUnavailable,
    sqlite3.SQLITE_READONLY: StorageUnavailable,
}


def translate(context: ExceptionContext) -> Exception | None:
    """SQLAlchemy's `handle_error` hook: our error for the driver's, or None to leave it as it is."""
    error = context.original_exception
    if context.dialect.name == "sqlite":
        return from_sqlite(error) if isinstance(error, sqlite3.Error) else None
    # Late: the driver was imported with the engine, and a service on SQLite needs none.
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    if (error.sqlstate or "")[:2] in QUOTING_CLASSES:
        _hide_values(error, context.sqlalchemy_exception)
    return _from_postgresql(error, unreachable=isinstance(error, psycopg.OperationalError))


def _hide_values(error: psycopg.Error, wrapper: Exception | None) -> None:
    """Take the text, which quotes the row, out of an error that will be logged as it is or as the cause of ours."""
    message = f"{type(error).__name__} {error.sqlstate} {error.diag.constraint_name or ''}".rstrip()
    error.args = (message,)
    if wrapper is not None:
        wrapper.args = (message,)


def _from_postgresql(error: psycopg.Error, *, unreachable: bool) -> Exception | None:
    """`unreachable`: what an error without a state means."""
    state = error.sqlstate or ""
    constraint = error.diag.constraint_name or ""
    if state == "23505":
        return StorageConflict(f"the key is taken: {constraint}", constraint=constraint)
    if state.startswith("23"):
        return ConstraintBroken(
            f"{type(error).__name__}: {error.diag.table_name} {constraint or error.diag.column_name}"
        )
    if state in STATES:
        return STATES[state](f"the database refused for now ({state})")
    if state[:2] in UNAVAILABLE_CLASSES or (unreachable and not state):
        return StorageUnavailable(f"the database is not available ({state or 'no connection'})")
    return None


def from_sqlite(error: sqlite3.Error) -> Exception | None:
    """Our error for the driver's, or None for one that has no name here."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    if code in UNIQUE_CODES:
        constraint = str(error).partition(": ")[2]
        return StorageConflict(f"the key is taken: {constraint}", constraint=constraint)
    if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
        return ConstraintBroken(str(error))  # SQLite names columns and constraints only
    kind = SQLITE_CODES.get(code & 0xFF)
    return kind(f"the database refused for now ({error.sqlite_errorname})") if kind else None
