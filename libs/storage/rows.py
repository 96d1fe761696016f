"""Hot writes: many rows in one statement, no ORM.

A row is a mapping from column to value, and all rows of a call have the same columns. Defaults in Python are not
applied: give every column that the database does not fill in itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, LargeBinary, Table

LOOK_UP = 500  # keys in one look-up on SQLite


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert all rows. Raises `StorageConflict` if a unique key is taken."""
    if not rows:
        return
    plan = _plan(table, tuple(rows[0]), connection.dialect)
    values = plan.values(rows)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(plan.insert_unnested, _arrays(values))
    else:
        connection.exec_driver_sql(plan.insert_values, values)


def insert_new(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key_columns: Sequence[str]
) -> set[Any]:
    """Insert the rows whose unique key is not taken, and return those keys (tuples, if the key has several columns).

    Of rows with the same key the first one counts. A key that another transaction is just inserting is waited for.
    Keys are texts or integers.
    """
    if not rows:
        return set()
    plan = _plan(table, tuple(rows[0]), connection.dialect)
    key_of: Callable[[Mapping[str, Any]], Any] = itemgetter(*key_columns)
    if connection.dialect.name == "postgresql":
        keys = plan.names(key_columns)
        statement = f"{plan.insert_unnested} ON CONFLICT ({keys}) DO NOTHING RETURNING {keys}"
        found = connection.exec_driver_sql(statement, _arrays(plan.values(rows)))
        return set(found.scalars() if len(key_columns) == 1 else map(tuple, found))
    # The write transaction is ours alone from its start, so what is not there now can't come before our commit.
    first: dict[Any, Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault(key_of(row), row)
    for key in _present(connection, plan, list(first), key_columns):
        del first[key]
    if first:
        connection.exec_driver_sql(plan.insert_values, plan.values(list(first.values())))
    return set(first)


@dataclass(frozen=True)
class _Plan:
    """How rows with certain columns are written to a table in a dialect."""

    dialect: Dialect
    table: str
    read: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    processors: tuple[tuple[int, Callable[[Any], Any]], ...]  # column number → what makes a value the driver's
    insert_values: str
    insert_unnested: str

    def names(self, columns: Sequence[str]) -> str:
        return ", ".join(self.dialect.identifier_preparer.quote(column) for column in columns)

    def values(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        values = list(map(self.read, rows))
        if not self.processors:
            return values
        columns: list[Sequence[Any]] = list(zip(*values, strict=True))
        for number, process in self.processors:
            columns[number] = list(map(process, columns[number]))
        return list(zip(*columns, strict=True))


@lru_cache(maxsize=1024)
def _plan(table: Table, columns: tuple[str, ...], dialect: Dialect) -> _Plan:
    preparer = dialect.identifier_preparer
    name = preparer.format_table(table)
    names = ", ".join(preparer.quote(column) for column in columns)
    processors = [
        (number, table.c[column].type.bind_processor(dialect))
        for number, column in enumerate(columns)
        if not isinstance(table.c[column].type, LargeBinary)  # bytes are bytes to us and to both drivers
    ]
    arrays = ", ".join(f"%s::{_array_type(table, column, dialect)}" for column in columns)
    read: Any = itemgetter(*columns) if len(columns) > 1 else lambda row: (row[columns[0]],)
    return _Plan(
        dialect,
        name,
        read,
        tuple((number, process) for number, process in processors if process is not None),
        f"INSERT INTO {name} ({names}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608
        f"INSERT INTO {name} ({names}) SELECT * FROM unnest({arrays})",  # noqa: S608
    )


def _array_type(table: Table, column: str, dialect: Dialect) -> str:
    name = table.c[column].type.compile(dialect=dialect)
    # A cast to varchar(n) cuts off silently; the assignment to the column refuses what is too long.
    return "text[]" if "CHAR" in name.upper() else f"{name}[]"


def _present(connection: Connection, plan: _Plan, keys: list[Any], key_columns: Sequence[str]) -> list[Any]:
    width = len(key_columns)
    names = plan.names(key_columns)
    present: list[Any] = []
    for start in range(0, len(keys), LOOK_UP):
        part = keys[start : start + LOOK_UP]
        if width == 1:
            given = f"({', '.join('?' * len(part))})"
            found = connection.exec_driver_sql(
                f"SELECT {names} FROM {plan.table} WHERE {names} IN {given}",  # noqa: S608
                tuple(part),
            )
            present += found.scalars()
        else:
            given = ", ".join([f"({', '.join('?' * width)})"] * len(part))
            found = connection.exec_driver_sql(
                f"SELECT {names} FROM {plan.table} WHERE ({names}) IN (VALUES {given})",  # noqa: S608
                tuple(value for key in part for value in key),
            )
            present += map(tuple, found)
    return present


def _arrays(values: list[tuple[Any, ...]]) -> tuple[str, ...]:
    """Each column as the text of a PostgreSQL array: made by `join`, ten times as fast as by the driver."""
    return tuple(map(_array, zip(*values, strict=True)))


def _array(values: Sequence[Any]) -> str:
    sample = next((value for value in values if value is not None), None)
    if isinstance(sample, str):
        return _text_array(values)
    if sample is None or isinstance(sample, bool | int | float):
        return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"
    if isinstance(sample, bytes | bytearray | memoryview):
        return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"
    if isinstance(sample, date):
        return "{" + ",".join(["NULL" if value is None else f'"{value.isoformat()}"' for value in values]) + "}"
    raise TypeError(f"no array of {type(sample).__name__}")


def _text_array(values: Sequence[Any]) -> str:
    if None in values:
        return "{" + ",".join(["NULL" if value is None else _text_array([value])[1:-1] for value in values]) + "}"
    joined = "\x00".join(values)
    if joined.count("\x00") != len(values) - 1:
        raise ValueError("a text holds a NUL character, which PostgreSQL can't store")
    if "\\" in joined:
        joined = joined.replace("\\", "\\\\")
    if '"' in joined:
        joined = joined.replace('"', '\\"')
    return '{"' + joined.replace("\x00", '","') + '"}'
