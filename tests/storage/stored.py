"""What a service has stored, for tests that look behind its repositories without saying it in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, MetaData, Table, select


def stored(engine: Engine, table: str, *columns: str, **where: object) -> list[tuple[Any, ...]]:
    """The named columns (all where none is) of a table's rows that have these values, in the order of their key."""
    rows = Table(table, MetaData(), autoload_with=engine)
    wanted = [rows.c[name] for name in columns] or list(rows.c)
    with engine.connect() as connection:
        query = select(*wanted).where(*(rows.c[name] == value for name, value in where.items()))
        return [tuple(row) for row in connection.execute(query.order_by(*rows.primary_key))]
