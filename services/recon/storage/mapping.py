"""Rows to domain values and back, and the lists of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Table, select

from libs.listing import After, ListPart, part_of
from libs.storage.layout import Layout

from ..domain.difference import Difference
from ..domain.learning import Item
from ..domain.match import Certificate, Match
from .tables import DIFFERENCE, ITEM, MATCH

SERVICE = "recon"  # the actor of what nobody asked for
ITEMS = Layout(Item, ITEM)
DIFFERENCES = Layout(Difference, DIFFERENCE)
MATCHES = Layout(Match, MATCH)
CERTIFICATES = Layout(Certificate, MATCH)


def oldest_first(
    connection: Connection,
    table: Table,
    time: Column[Any],
    where: ColumnElement[bool],
    size: int,
    after: After | None,
) -> ListPart[Row[Any]]:
    """A part of the table's rows in the order of time and name."""
    statement = select(table).where(where).order_by(time, table.c.name).limit(size + 1)
    if after is not None:
        at = datetime.fromisoformat(str(after[0]))
        statement = statement.where((time > at) | ((time == at) & (table.c.name > after[1])))
    rows = connection.execute(statement).all()
    return part_of(rows, size, lambda row: (row._mapping[time].isoformat(), row.name))
