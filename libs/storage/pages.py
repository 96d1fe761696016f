"""Pages of lists: which rows of a table, narrowed by which filters, in which order, from which place on.

    POSTINGS = Listing(
        columns=[POSTING.c.key, POSTING.c.created_at],
        order=[POSTING.c.created_at, POSTING.c.key],
        filters={"company": POSTING.c.company == bindparam("company")},
    )
    rows = POSTINGS.page(connection, {"company": "acme"}, size=100, after=None)

A statement is put together once for each set of filters that is asked for, since that costs more than to run it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, bindparam, select, tuple_

from libs.listing import After

from .types import UtcTimestamp

_SIZE = "page_size"


class Listing:
    """A list that is read by the page. Made once, when its module is loaded.

    Each filter is a condition with a parameter of the filter's own name (`bindparam`, expanding for a list).
    """

    def __init__(
        self,
        columns: Sequence[ColumnElement[Any]],
        order: Sequence[Column[Any]],
        filters: Mapping[str, ColumnElement[bool]],
    ) -> None:
        self._columns = columns
        self._order = order
        self._filters = filters
        self._after = [f"after_{column.name}" for column in order]
        self._statement = cache(self._put_together)

    def page(
        self,
        connection: Connection,
        given: Mapping[str, object],
        size: int,
        after: After | None,
        *,
        only: ColumnElement[bool] | None = None,
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The first `size` rows that all the given filters let through, of those that follow on the place `after`.

        `only` is a further condition that no filter can be (say, what the caller may see): with it the statement is
        put together anew.
        """
        values = {**given, _SIZE: size}
        if after is not None:
            values |= zip(self._after, map(_typed, self._order, after), strict=True)
        statement = self._statement(frozenset(given), after is not None)
        return connection.execute(statement if only is None else statement.where(only), values).all()

    def _put_together(self, filters: frozenset[str], continued: bool) -> Select[*tuple[Any, ...]]:
        conditions = [self._filters[name] for name in sorted(filters)]
        if continued:
            place = [bindparam(name, type_=column.type) for name, column in zip(self._after, self._order, strict=True)]
            conditions.append(tuple_(*self._order) > tuple_(*place))
        return select(*self._columns).where(*conditions).order_by(*self._order).limit(bindparam(_SIZE))


def _typed(column: Column[Any], value: str | int) -> object:
    """What a token says of a column's value, as the column has it."""
    return datetime.fromisoformat(str(value)) if isinstance(column.type, UtcTimestamp) else value
