"""How a frozen dataclass lies in a table: a column for each field of its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import Any, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

from sqlalchemy import Integer, Row, Table

from libs.events import from_plain, to_text
from libs.money import Money

Value = TypeVar("Value")
_Convert = Callable[[Any], Any]
_UNKNOWN = -1


class Layout(Generic[Value]):
    """Values of one dataclass as rows of one table, and back.

    An enum is kept as its value, a tuple as JSON, a bool as the table has it (0 and 1 in a column of integers, -1 where
    it may be unknown and is). The
    minor units of Money stand in the column of the field's name, or in `minor_units`, and its currency in `currency`.
    Fields that the table has no column for are left out of a row, and given when a value is made of one.
    """

    def __init__(self, kind: type[Value], table: Table) -> None:
        self.kind = kind
        self.table = table
        hints = get_type_hints(kind)
        names = [field.name for field in fields(cast("Any", kind))]
        amounts = [name for name in names if hints[name] is Money or Money in get_args(hints[name])]
        self._amounts = [(name, name if name in table.c else "minor_units") for name in amounts]
        self.columns = tuple(name for name in names if name in table.c and name not in amounts)
        self._keeping: list[tuple[str, _Convert]] = []
        self._making: list[tuple[str, _Convert]] = []
        for name in self.columns:
            keep, make = _converters(hints[name], table.c[name].type)
            if keep is not None and make is not None:
                self._keeping.append((name, keep))
                self._making.append((name, make))

    def row_of(self, value: Value) -> dict[str, Any]:
        """The columns of the value's fields."""
        row = {name: getattr(value, name) for name in self.columns}
        for name, keep in self._keeping:
            row[name] = keep(row[name])
        for name, column in self._amounts:
            amount: Money | None = getattr(value, name)
            row[column] = None if amount is None else amount.minor_units
            if amount is not None:
                row.setdefault("currency", amount.currency)
        return row

    def value_of(self, row: Row[Any], **given: Any) -> Value:
        """The value of a row; `given` are the fields that have no column, or are kept in another way."""
        found = {name: getattr(row, name) for name in self.columns}
        for name, make in self._making:
            if name not in given:
                found[name] = make(found[name])
        for name, column in self._amounts:
            units = getattr(row, column)
            found[name] = None if units is None else Money(row.currency, units)
        found.update(given)
        return self.kind(**found)


def _converters(hint: Any, column: Any) -> tuple[_Convert | None, _Convert | None]:
    """What makes a field's value a column's, and back; None where they are the same."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda member: member.value, hint
    if get_origin(hint) is tuple:
        return to_text, lambda text: from_plain(hint, json.loads(text))
    if hint is bool and isinstance(column, Integer):
        return int, bool
    if hint == (bool | None) and isinstance(column, Integer):
        return lambda known: _UNKNOWN if known is None else int(known), lambda kept: None if kept < 0 else bool(kept)
    return None, None
