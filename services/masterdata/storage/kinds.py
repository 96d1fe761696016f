"""How each kind of record is kept: its table, its key, and the order of its list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, Table

from ..domain.records import Account, Currency, ExchangeRate, Journal, Party, Product, Record, TaxCode
from .rows import ACCOUNT, CURRENCY, EXCHANGE_RATE, JOURNAL, PARTY, PRODUCT, TAX_CODE


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of record; its fields are the table's columns beside `company`."""

    record: type[Record]
    table: Table
    key: tuple[str, ...]
    order: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in fields(self.record))

    @property
    def can_rest(self) -> bool:
        """Whether a record that Odoo no longer lists stays as an inactive one; others are removed."""
        return "active" in self.columns

    def key_of(self, record: Record) -> tuple[Any, ...]:
        values = attrgetter(*self.key)(record)
        return values if len(self.key) > 1 else (values,)

    def values_of(self, record: Record) -> tuple[Any, ...]:
        return tuple(getattr(record, name) for name in self.columns)

    def of_row(self, row: Row[Any]) -> Any:
        values = row._mapping
        return self.record(**{name: values[name] for name in self.columns})


KINDS: Mapping[type[Any], RecordKind] = MappingProxyType(
    {
        kind.record: kind
        for kind in (
            RecordKind(Account, ACCOUNT, ("odoo_id",), ("code", "odoo_id")),
            RecordKind(Journal, JOURNAL, ("odoo_id",), ("code", "odoo_id")),
            RecordKind(TaxCode, TAX_CODE, ("odoo_id",), ("odoo_id",)),
            RecordKind(Currency, CURRENCY, ("code",), ("code",)),
            RecordKind(ExchangeRate, EXCHANGE_RATE, ("currency", "day"), ("currency", "day")),
            RecordKind(Party, PARTY, ("odoo_id",), ("odoo_id",)),
            RecordKind(Product, PRODUCT, ("odoo_id",), ("odoo_id",)),
        )
    }
)
