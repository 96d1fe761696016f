"""What waits in a queue, counted for operators by whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, func, select

# An outage may pile up millions: beyond this nobody needs the figure to the unit, and each scrape pays for the count.
COUNTED_AT_MOST = 100_000


class Waiting(NamedTuple):
    """`whose` has a value for each column that was asked for; `oldest` is when the oldest one came."""

    whose: tuple[str, ...]
    depth: int
    oldest: datetime


def count_waiting(
    connection: Connection,
    table: Table,
    condition: ColumnElement[bool],
    since: ColumnElement[Any],
    whose: Sequence[ColumnElement[str]],
) -> list[Waiting]:
    """One query over what `condition` lets through, up to `COUNTED_AT_MOST` rows; nothing for an empty queue.

    The condition must be one that a partial index serves, or each scrape reads the whole table. `since` is when an
    item came: an instant, or a transaction id, which begins with one. Not `available_at`, which each retry puts off,
    so that in an outage nothing would seem old.
    """
    columns = [column.label(f"whose_{index}") for index, column in enumerate(whose)]
    part = select(*columns, since.label("since")).where(condition).limit(COUNTED_AT_MOST).subquery()
    groups = [part.c[column.name] for column in columns]
    statement = select(*groups, func.count(), func.min(part.c.since)).group_by(*groups).order_by(*groups)
    return [Waiting(tuple(values), depth, _instant(oldest)) for *values, depth, oldest in connection.execute(statement)]


def _instant(came: datetime | str) -> datetime:
    return datetime.fromtimestamp(int(came[:12], 16) / 1000, UTC) if isinstance(came, str) else came


def interface_of(connection: Connection, event: ColumnElement[str]) -> ColumnElement[str]:
    """`{provider}/{account}` out of a column with events' names, `sources/{provider}/accounts/{account}/events/…`."""
    place = func.instr if connection.dialect.name == "sqlite" else func.strpos
    begin = len("sources/") + 1
    return func.replace(func.substr(event, begin, place(event, "/events/") - begin), "/accounts/", "/")
