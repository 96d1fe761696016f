"""What waits in a queue, counted for operators by whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, func, select

# An outage may pile up millions: beyond this nobody needs the figure to the unit, and each scrape pays for the count.
COUNTED_AT_MOST = 100_000


class Waiting(NamedTuple):
    """`whose` has a value for each column that was asked for; `oldest` is when the longest waiting one fell due."""

    whose: tuple[str, ...]
    depth: int
    oldest: datetime


def count_waiting(
    connection: Connection, table: Table, condition: ColumnElement[bool], whose: Sequence[ColumnElement[str]]
) -> list[Waiting]:
    """One query over what `condition` lets through, up to `COUNTED_AT_MOST` rows; nothing for an empty queue.

    The condition must be one that a partial index serves, or each scrape reads the whole table.
    """
    columns = [column.label(f"whose_{index}") for index, column in enumerate(whose)]
    part = select(*columns, table.c.available_at).where(condition).limit(COUNTED_AT_MOST).subquery()
    groups = [part.c[column.name] for column in columns]
    statement = select(*groups, func.count(), func.min(part.c.available_at)).group_by(*groups).order_by(*groups)
    return [Waiting(tuple(values), depth, oldest) for *values, depth, oldest in connection.execute(statement)]


def interface_of(connection: Connection, event: ColumnElement[str]) -> ColumnElement[str]:
    """`{provider}/{account}` out of a column with events' names, `sources/{provider}/accounts/{account}/events/…`."""
    place = func.instr if connection.dialect.name == "sqlite" else func.strpos
    begin = len("sources/") + 1
    return func.replace(func.substr(event, begin, place(event, "/events/") - begin), "/accounts/", "/")
