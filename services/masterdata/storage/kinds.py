"""How each kind of record is kept: its table, its key, and the order of its list."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table

from libs.storage.layout import Layout
from libs.storage.private import proof_of

from ..domain.records import Account, Currency, ExchangeRate, Journal, Party, Product, Record, TaxCode
from .tables import ACCOUNT, CURRENCY, EXCHANGE_RATE, JOURNAL, PARTY, PRODUCT, TAX_CODE


class RecordKind(Layout[Any]):
    """A kind of record; its fields are the table's columns beside `company`. `read_as` is its field in a `Reading`."""

    def __init__(
        self, read_as: str, record: type[Record], table: Table, key: tuple[str, ...], order: tuple[str, ...]
    ) -> None:
        super().__init__(record, table)
        self.read_as = read_as
        self.key = key
        self.order = order

    @property
    def can_rest(self) -> bool:
        """Whether a record that Odoo no longer lists stays as an inactive one; others are removed."""
        return "active" in self.columns

    def row_of(self, value: Any) -> dict[str, Any]:
        row = super().row_of(value)
        if "name_proof" in self.table.c:  # what names a person
            row["name_proof"] = proof_of(row["name"])
        return row

    def subject_of(self, company: str, key: tuple[Any, ...]) -> str:
        """The record's name in the audit log."""
        first, *others = self.read_as.split("_")
        segment = first + "".join(map(str.capitalize, others))
        return "/".join(("companies", company, segment, *map(str, key)))

    def key_of(self, record: Record) -> tuple[Any, ...]:
        return tuple(getattr(record, name) for name in self.key)

    def place_of(self, record: Record) -> tuple[Any, ...]:
        """In the list."""
        return tuple(getattr(record, name) for name in self.order)


KINDS: Mapping[type[Any], RecordKind] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            RecordKind("accounts", Account, ACCOUNT, ("odoo_id",), ("code", "odoo_id")),
            RecordKind("journals", Journal, JOURNAL, ("odoo_id",), ("code", "odoo_id")),
            RecordKind("tax_codes", TaxCode, TAX_CODE, ("odoo_id",), ("odoo_id",)),
            RecordKind("currencies", Currency, CURRENCY, ("code",), ("code",)),
            RecordKind("exchange_rates", ExchangeRate, EXCHANGE_RATE, ("currency", "day"), ("currency", "day")),
            RecordKind("parties", Party, PARTY, ("odoo_id",), ("odoo_id",)),
            RecordKind("products", Product, PRODUCT, ("odoo_id",), ("odoo_id",)),
        )
    }
)
