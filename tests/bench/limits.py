"""The same rows written as fast as the database takes them: `executemany` on SQLite, COPY on PostgreSQL, and the ORM.

No limit here looks for rows that exist, knows of conflicts, or answers anything. It is given rows that are finished:
no digest is computed, no JSON made, no hash chained.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import registry
from sqlmodel import Session

from services.ledger.storage.rows import EventReferenceRow, EventRow
from services.ledger.storage.tables import EVENT, EVENT_REFERENCE, TABLES
from tests.bench.scratch import SQLITE, Scratch

# What accepting an event writes, in this order.
WRITTEN = (EVENT, EVENT_REFERENCE, TABLES.audit_entry, TABLES.total_delta)
# The database numbers these rows itself, in the suite as in the limits.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    table.name: tuple(column.name for column in table.columns if column.name != "id") for table in WRITTEN
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Finished rows, by table, in the driver's own values."""

    events: int
    rows: Mapping[str, Sequence[tuple[Any, ...]]]

    @property
    def row_count(self) -> int:
        return sum(map(len, self.rows.values()))


def read_batches(scratch: Scratch, url: str, schema: str, names: Sequence[Sequence[str]]) -> list[Batch]:
    """What the suite wrote for each batch of event names, one batch a commit, one row of totals a batch and key."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in WRITTEN:
        columns = ", ".join(f'"{column}"' for column in COLUMNS[table.name])
        order = "ORDER BY id" if "id" in table.columns else ""
        found[table.name] = scratch.rows(url, schema, f"SELECT {columns} FROM {table.name} {order}")
    batch_of = {name: number for number, batch in enumerate(names) for name in batch}
    split: list[dict[str, list[tuple[Any, ...]]]] = [{table.name: [] for table in WRITTEN} for _ in names]
    for table, key in ((EVENT, "name"), (EVENT_REFERENCE, "event"), (TABLES.audit_entry, "subject")):
        place = COLUMNS[table.name].index(key)
        for row in found[table.name]:
            split[batch_of[row[place]]][table.name].append(tuple(row))
    # Totals bear no event's name; each batch has as many rows as the days it touches.
    deltas = iter(found["total_delta"])
    day, instant = COLUMNS["total_delta"].index("day"), COLUMNS["event"].index("effective_at")
    for rows in split:
        days = {str(row[instant])[:10] for row in rows["event"]}
        rows["total_delta"] = [tuple(next(deltas)) for _ in days]
        assert {str(row[day]) for row in rows["total_delta"]} == days
    assert next(deltas, None) is None
    return [Batch(len(rows["event"]), rows) for rows in split]


class SqliteLimit:
    """Plain `executemany`, one commit a batch."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}")

    def write(self, batches: Iterable[Batch], tables: Iterable[str]) -> None:
        statements = {name: _insert(name) for name in tables}
        for batch in batches:
            self._connection.execute("BEGIN IMMEDIATE")
            for name, statement in statements.items():
                self._connection.executemany(statement, batch.rows[name])
            self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class PostgresLimit:
    """COPY, one commit a batch: of Python values, which the driver encodes, or of text that is encoded already."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str) -> None:
        self._connection = connection
        connection.execute(f'SET search_path TO "{schema}"')

    def write(self, batches: Iterable[Batch], tables: Iterable[str]) -> None:
        statements = {name: _copy(name) for name in tables}
        for batch in batches:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                for name, statement in statements.items():
                    with cursor.copy(statement) as copy:
                        for row in batch.rows[name]:
                            copy.write_row(row)

    def encoded(self, batches: Iterable[Batch], tables: Sequence[str]) -> list[dict[str, bytes]]:
        """The batches as COPY's text, made by the server itself from a temporary table of the same shape."""
        texts = []
        for batch in batches:
            of_tables = {}
            for name in tables:
                columns = ", ".join(f'"{column}"' for column in COLUMNS[name])
                with self._connection.transaction(force_rollback=True), self._connection.cursor() as cursor:
                    cursor.execute(
                        f"CREATE TEMP TABLE encoded ON COMMIT DROP AS SELECT {columns} FROM {name} WITH NO DATA"
                    )
                    with cursor.copy("COPY encoded FROM STDIN") as copy:
                        for row in batch.rows[name]:
                            copy.write_row(row)
                    with cursor.copy("COPY encoded TO STDOUT") as copy:
                        of_tables[name] = b"".join(map(bytes, copy))
            texts.append(of_tables)
        return texts

    def write_encoded(self, texts: Iterable[dict[str, bytes]]) -> None:
        for of_tables in texts:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                for name, text in of_tables.items():
                    with cursor.copy(_copy(name)) as copy:
                        copy.write(text)

    def close(self) -> None:
        self._connection.close()


class _AuditRow:
    """An audit entry as an ORM object."""


class _DeltaRow:
    """A change of totals as an ORM object."""


_mapped = registry()
_mapped.map_imperatively(_AuditRow, TABLES.audit_entry)
_mapped.map_imperatively(_DeltaRow, TABLES.total_delta)
_CLASSES: Mapping[str, Any] = {
    "event": EventRow,
    "event_reference": EventReferenceRow,
    "audit_entry": _AuditRow,
    "total_delta": _DeltaRow,
}


def write_by_orm(engine: Engine, batches: Iterable[Sequence[tuple[str, Mapping[str, Any]]]]) -> None:
    """SQLModel's `add_all`, one commit a batch, of (table, values)."""
    for batch in batches:
        with Session(engine) as session:
            session.add_all([_object(table, values) for table, values in batch])
            session.commit()


def _object(table: str, values: Mapping[str, Any]) -> Any:
    made = _CLASSES[table]
    if table.startswith("event"):
        return made(**values)
    row = made()
    for name, value in values.items():
        setattr(row, name, value)
    return row


def orm_values(engine: Engine, batches: Iterable[Batch]) -> list[list[tuple[str, dict[str, Any]]]]:
    """The batches' rows with the values that SQLAlchemy's types take."""
    made = []
    for batch in batches:
        rows: list[tuple[str, dict[str, Any]]] = []
        for table in WRITTEN:
            names = COLUMNS[table.name]
            readers = [
                table.columns[name].type.dialect_impl(engine.dialect).result_processor(engine.dialect, None)
                for name in names
            ]
            for row in batch.rows[table.name]:
                values = {
                    name: read(value) if read and value is not None else value
                    for name, read, value in zip(names, readers, row, strict=True)
                }
                rows.append((table.name, values))
        made.append(rows)
    return made


def limit_for(scratch: Scratch, url: str, schema: str) -> SqliteLimit | PostgresLimit:
    return SqliteLimit(url) if scratch.kind == SQLITE else PostgresLimit(scratch.driver(), schema)


def _insert(table: str) -> str:
    columns = ", ".join(f'"{column}"' for column in COLUMNS[table])
    marks = ", ".join("?" * len(COLUMNS[table]))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})"


def _copy(table: str) -> str:
    columns = ", ".join(f'"{column}"' for column in COLUMNS[table])
    return f"COPY {table} ({columns}) FROM STDIN"


__all__ = ["Batch", "limit_for", "orm_values", "read_batches", "write_by_orm"]
