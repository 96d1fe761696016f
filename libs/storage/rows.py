"""Hot writes: many rows in one statement, no ORM.

A row is a mapping from column to value, with the same columns in every row of a call; or, where `columns` names them,
a tuple in that order, which costs less to make. Defaults in Python are not applied: give every column that the
database does not fill in itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, LargeBinary, Table

from .errors import from_sqlite

LOOK_UP = 500  # keys in one look-up
STREAMED = 5_000  # rows at a time
Item = TypeVar("Item")
Rows = Sequence[Mapping[str, Any]] | Sequence[tuple[Any, ...]]


def insert_rows(connection: Connection, table: Table, rows: Rows, columns: Sequence[str] | None = None) -> None:
    """Insert all rows. Raises `StorageConflict` if a unique key is taken."""
    if not rows:
        return
    plan, given = _planned(connection, table, rows, columns)
    values = plan.values(given)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(plan.insert_unnested, _arrays(values))
    else:
        with _sqlite(connection) as driver:
            driver.executemany(plan.insert_values, values)


def insert_new(
    connection: Connection, table: Table, rows: Rows, key_columns: Sequence[str], columns: Sequence[str] | None = None
) -> set[Any]:
    """Insert the rows whose unique key is not taken, and return those keys (tuples, if the key has several columns).

    Of rows with the same key the first one counts. A key that another transaction is just inserting is waited for.
    Keys are texts or integers.
    """
    if not rows:
        return set()
    plan, given = _planned(connection, table, rows, columns)
    if connection.dialect.name == "postgresql":
        keys = plan.names(key_columns)
        statement = f"{plan.insert_unnested} ON CONFLICT ({keys}) DO NOTHING RETURNING {keys}"
        found = connection.exec_driver_sql(statement, _arrays(plan.values(given)))
        return set(found.scalars().all()) if len(key_columns) == 1 else set(map(tuple, found.all()))
    # The write transaction is ours alone from its start, so what is not there now can't come before our commit.
    if len(given) == 1:
        statement = f"{plan.insert_values} ON CONFLICT ({plan.names(key_columns)}) DO NOTHING"
        with _sqlite(connection) as driver:
            done = driver.execute(statement, plan.values(given)[0])
        return {itemgetter(*map(plan.columns.index, key_columns))(given[0])} if done.rowcount else set()
    key_of = itemgetter(*(plan.columns.index(column) for column in key_columns))
    new = {key_of(row): row for row in reversed(given)}
    for key in _present(connection, plan, list(new), key_columns):
        del new[key]
    if new:
        # Turned round again: the rows get their ids in the order in which they were given.
        with _sqlite(connection) as driver:
            driver.executemany(plan.insert_values, plan.values(list(new.values())[::-1]))
    return set(new)


def update_rows(
    connection: Connection, table: Table, key: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Give rows new values, each its own: tuples of the primary key `key` and the values of `columns`."""
    if not rows:
        return
    plan = _plan(table, (key, *columns), connection.dialect)
    values = plan.values(rows)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(plan.update_unnested, _arrays(values))
    else:
        with _sqlite(connection) as driver:
            driver.executemany(plan.update_values, [(*row[1:], row[0]) for row in values])


def select_rows(connection: Connection, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement in the driver's own words, with the driver's own marks for values."""
    if connection.dialect.name == "postgresql":
        return [tuple(row) for row in connection.exec_driver_sql(statement, tuple(values) or None)]
    with _sqlite(connection) as driver:
        return driver.execute(statement, values).fetchall()


def stream_rows(connection: Connection, statement: str) -> Iterator[Any]:
    """The rows of a statement in bounded memory, by the driver: SQLAlchemy's rows cost more than to hash them."""
    connection.exec_driver_sql("SELECT 1")  # begins the transaction, if there is none
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        with driver.cursor(name="streamed_rows", binary=True) as cursor:
            cursor.execute(statement)
            while rows := cursor.fetchmany(STREAMED):
                yield from rows
    else:
        yield from driver.execute(statement)


@contextmanager
def _sqlite(connection: Connection) -> Iterator[sqlite3.Connection]:
    """SQLite's own connection, in our transaction: a statement costs a third of what it costs through SQLAlchemy."""
    if not connection.in_transaction():
        connection.begin()
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        yield driver
    except sqlite3.Error as error:
        raise from_sqlite(error) or error from None


def parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists that are short enough for one statement each."""
    every = list(items)
    for start in range(0, len(every), LOOK_UP):
        yield every[start : start + LOOK_UP]


def _planned(
    connection: Connection, table: Table, rows: Rows, columns: Sequence[str] | None
) -> tuple[_Plan, Sequence[tuple[Any, ...]]]:
    """How to write the rows, and the rows as tuples."""
    if columns is not None:
        return _plan(table, tuple(columns), connection.dialect), rows  # type: ignore[return-value]
    names = tuple(rows[0])
    read: Callable[[Any], Any] = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)
    return _plan(table, names, connection.dialect), list(map(read, rows))


@dataclass(frozen=True)
class _Plan:
    """How rows with certain columns are written to a table in a dialect."""

    dialect: Dialect
    table: str
    columns: tuple[str, ...]
    processors: tuple[tuple[int, Callable[[Any], Any]], ...]  # column number → what makes a value the driver's
    insert_values: str
    insert_unnested: str
    update_values: str
    update_unnested: str

    def names(self, columns: Sequence[str]) -> str:
        return ", ".join(self.dialect.identifier_preparer.quote(column) for column in columns)

    def values(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        if not self.processors:
            return rows
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for number, process in self.processors:
            columns[number] = _each(process, columns[number])
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
    key, *others = (preparer.quote(column) for column in columns)
    changes = ", ".join(f"{other} = ?" for other in others)
    unnested = ", ".join(f"{other} = given.{other}" for other in others)
    given = f"unnest({arrays}) AS given({names})"
    return _Plan(
        dialect,
        name,
        columns,
        tuple((number, process) for number, process in processors if process is not None),
        f"INSERT INTO {name} ({names}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608
        f"INSERT INTO {name} ({names}) SELECT * FROM unnest({arrays})",  # noqa: S608
        f"UPDATE {name} SET {changes} WHERE {key} = ?",  # noqa: S608
        f"UPDATE {name} SET {unnested} FROM {given} WHERE {name}.{key} = given.{key}",  # noqa: S608
    )


def _array_type(table: Table, column: str, dialect: Dialect) -> str:
    name = table.c[column].type.compile(dialect=dialect)
    # A cast to varchar(n) cuts off silently; the assignment to the column refuses what is too long.
    return "text[]" if "CHAR" in name.upper() else f"{name}[]"


def _present(connection: Connection, plan: _Plan, keys: list[Any], key_columns: Sequence[str]) -> list[Any]:
    width = len(key_columns)
    names = plan.names(key_columns)
    present: list[Any] = []
    for part in parts(keys):
        if width == 1:
            given = f"({', '.join('?' * len(part))})"
            statement = f"SELECT {names} FROM {plan.table} WHERE {names} IN {given}"  # noqa: S608
            with _sqlite(connection) as driver:
                present += [key for (key,) in driver.execute(statement, tuple(part))]
        else:
            given = ", ".join([f"({', '.join('?' * width)})"] * len(part))
            statement = f"SELECT {names} FROM {plan.table} WHERE ({names}) IN (VALUES {given})"  # noqa: S608
            with _sqlite(connection) as driver:
                present += driver.execute(statement, tuple(value for key in part for value in key))
    return present


def _each(process: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """Each value processed; a date or instant that comes again and again only once."""
    if not isinstance(values[0], date):
        return list(map(process, values))
    known = {value: process(value) for value in set(values)}
    return [known[value] for value in values]


def _arrays(values: Sequence[tuple[Any, ...]]) -> tuple[str, ...]:
    """Each column as the text of a PostgreSQL array: made by `join`, ten times as fast as by the driver."""
    return tuple(map(_array, zip(*values, strict=True)))


def _array(values: Sequence[Any]) -> str:
    sample = next((value for value in values if value is not None), None)
    if isinstance(sample, str):
        return _text_array(values)
    if sample is None or isinstance(sample, bool | int | float):
        return "{" + ",".join(map(str, values)).replace("None", "NULL") + "}"
    if isinstance(sample, bytes | bytearray | memoryview):
        return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"
    if isinstance(sample, date):
        return "{" + ",".join(_each(_quoted_date, values)) + "}"
    raise TypeError(f"no array of {type(sample).__name__}")


def _quoted_date(value: date | None) -> str:
    return "NULL" if value is None else f'"{value.isoformat()}"'


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
