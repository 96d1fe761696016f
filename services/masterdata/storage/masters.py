"""The masters of each company: what the last reading of Odoo left, and the names that other systems use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, insert, select, tuple_, update

from libs.listing import After
from libs.storage.rows import insert_rows, parts

from ..domain.company_masters import CompanyMasters, NamedRecords, NamesToFind
from ..domain.records import (
    Account,
    ExchangeRate,
    ExternalReference,
    Journal,
    LegalEntity,
    Party,
    Product,
    Reading,
    Record,
    StoredCompany,
    TaxCode,
)
from .kinds import KINDS, RecordKind
from .rows import EXTERNAL_REFERENCE, LEGAL_ENTITY, PARTY

R = TypeVar("R", bound=Record)
Item = TypeVar("Item")


class MasterRecords:
    """Reads and writes masters within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def revision(self, company: str) -> int:
        statement = select(LEGAL_ENTITY.c.revision).where(LEGAL_ENTITY.c.company == company)
        return self._connection.scalar(statement) or 0

    def find(self, company: str, *, lock: bool = False) -> StoredCompany | None:
        statement = select(LEGAL_ENTITY).where(LEGAL_ENTITY.c.company == company)
        row = self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        return StoredCompany(_entity(row), row.read_at) if row else None

    def of_odoo(self, odoo_id: int) -> LegalEntity | None:
        row = self._connection.execute(select(LEGAL_ENTITY).where(LEGAL_ENTITY.c.odoo_id == odoo_id)).one_or_none()
        return _entity(row) if row else None

    def put(self, entity: LegalEntity, read_at: datetime) -> None:
        values = {field.name: getattr(entity, field.name) for field in fields(entity)} | {"read_at": read_at}
        mine = LEGAL_ENTITY.c.company == entity.company
        if not self._connection.execute(update(LEGAL_ENTITY).where(mine).values(values)).rowcount:
            self._connection.execute(insert(LEGAL_ENTITY).values(values))

    def replace(self, company: str, reading: Reading) -> int:
        return sum(self._replace(KINDS[kind], company, records) for kind, records in reading.by_kind().items())

    def _replace(self, kind: RecordKind, company: str, records: Sequence[Record]) -> int:
        stored = {kind.key_of(record): record for record in self._all(kind, company)}
        reported = {kind.key_of(record): record for record in records}
        if kind.can_rest:
            for key, item in stored.items():
                if key not in reported and getattr(item, "active", False):
                    reported[key] = replace(item, active=False)
        new = [item for key, item in reported.items() if key not in stored]
        changed = [item for key, item in reported.items() if key in stored and stored[key] != item]
        gone = [] if kind.can_rest else [key for key in stored if key not in reported]
        columns = ("company", *kind.columns)
        insert_rows(self._connection, kind.table, [(company, *kind.values_of(product)) for product in new], columns)
        self._update(kind, company, changed)
        self._remove(kind, company, gone)
        return len(new) + len(changed) + len(gone)

    def _update(self, kind: RecordKind, company: str, records: Sequence[Record]) -> None:
        if not records:
            return
        names = [name for name in kind.columns if name not in kind.key]
        same = [kind.table.c[name] == bindparam(f"key_{name}") for name in kind.key]
        statement = (
            update(kind.table)
            .where(kind.table.c.company == company, *same)
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        rows = [
            {f"key_{name}": getattr(record, name) for name in kind.key}
            | {f"new_{n}": getattr(record, n) for n in names}
            for record in records
        ]
        self._connection.execute(statement, rows)

    def _remove(self, kind: RecordKind, company: str, keys: Sequence[tuple[Any, ...]]) -> None:
        columns = [kind.table.c[name] for name in kind.key]
        for part in parts(keys):
            mine = (kind.table.c.company == company) & tuple_(*columns).in_(part)
            self._connection.execute(delete(kind.table).where(mine))

    def _all(self, kind: RecordKind, company: str) -> list[Any]:
        rows = self._connection.execute(select(kind.table).where(kind.table.c.company == company))
        return [kind.of_row(row) for row in rows]

    def of_company(self, entity: LegalEntity) -> CompanyMasters:
        return CompanyMasters.of(
            entity,
            *(self._all(KINDS[kind], entity.company) for kind in (Account, Journal, TaxCode, ExchangeRate)),
        )

    def named(self, company: str, wanted: NamesToFind) -> NamedRecords:
        by_name: dict[str, list[Party]] = defaultdict(list)
        for party in self._some(Party, company, "name", wanted.party_names):
            by_name[party.name].append(party)
        by_sku: dict[str, list[Product]] = defaultdict(list)
        for product in self._some(Product, company, "sku", wanted.skus):
            by_sku[product.sku].append(product)
        return NamedRecords(
            by_name,
            {party.odoo_id: party for party in self._some(Party, company, "odoo_id", wanted.party_ids)},
            by_sku,
            {product.odoo_id: product for product in self._some(Product, company, "odoo_id", wanted.product_ids)},
        )

    def _some(self, record: type[R], company: str, column: str, values: Sequence[Any]) -> list[R]:
        kind = KINDS[record]
        found: list[R] = []
        for part in parts(values):
            mine = (kind.table.c.company == company) & kind.table.c[column].in_(part)
            rows = self._connection.execute(select(kind.table).where(mine).order_by(*_order(kind)))
            found += [kind.of_row(row) for row in rows]
        return found

    def page(self, kind: type[R], company: str, size: int, after: After | None) -> list[R]:
        how = KINDS[kind]
        condition: ColumnElement[bool] = how.table.c.company == company
        if how.can_rest:
            condition &= how.table.c.active
        if after is not None:
            condition &= tuple_(*_order(how)) > tuple_(*after)
        rows = self._connection.execute(select(how.table).where(condition).order_by(*_order(how)).limit(size))
        return [how.of_row(row) for row in rows]

    def companies(self, size: int, after: After | None) -> list[LegalEntity]:
        statement = select(LEGAL_ENTITY).order_by(LEGAL_ENTITY.c.company).limit(size)
        if after is not None:
            statement = statement.where(LEGAL_ENTITY.c.company > after[0])
        return [_entity(row) for row in self._connection.execute(statement)]

    def bind(self, company: str, references: Sequence[ExternalReference]) -> None:
        self._connection.execute(delete(EXTERNAL_REFERENCE).where(EXTERNAL_REFERENCE.c.company == company))
        rows = [(company, reference.issuer, reference.value, reference.party) for reference in references]
        insert_rows(self._connection, EXTERNAL_REFERENCE, rows, ("company", "issuer", "value", "party"))

    def known_as(self, company: str, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Party]:
        columns = EXTERNAL_REFERENCE.c
        joined = EXTERNAL_REFERENCE.join(
            PARTY, and_(PARTY.c.company == columns.company, PARTY.c.odoo_id == columns.party)
        )
        found = {}
        for part in parts(keys):
            mine = (columns.company == company) & tuple_(columns.issuer, columns.value).in_(part)
            rows = self._connection.execute(
                select(columns.issuer, columns.value, *PARTY.c).select_from(joined).where(mine)
            )
            found.update({(row.issuer, row.value): KINDS[Party].of_row(row) for row in rows})
        return found

    def references_of(self, company: str, parties: Sequence[int]) -> dict[int, list[ExternalReference]]:
        columns = EXTERNAL_REFERENCE.c
        found: dict[int, list[ExternalReference]] = defaultdict(list)
        for part in parts(parties):
            mine = (columns.company == company) & columns.party.in_(part)
            statement = select(EXTERNAL_REFERENCE).where(mine).order_by(columns.issuer, columns.value)
            for row in self._connection.execute(statement):
                found[row.party].append(ExternalReference(row.issuer, row.value, row.party))
        return found

    def products(self, company: str, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], tuple[Product, ...]]:
        found: dict[tuple[str, int], list[Product]] = defaultdict(list)
        for product in self._some(Product, company, "sku", [sku for sku, _ in keys if sku]):
            if product.active:
                found[(product.sku, 0)].append(product)
        for product in self._some(Product, company, "odoo_id", [odoo_id for _, odoo_id in keys if odoo_id]):
            if product.active:
                found[("", product.odoo_id)].append(product)
        return {key: tuple(products) for key, products in found.items()}


def _entity(row: Row[Any]) -> LegalEntity:
    values = row._mapping
    return LegalEntity(**{field.name: values[field.name] for field in fields(LegalEntity)})


def _order(kind: RecordKind) -> list[Any]:
    return [kind.table.c[name] for name in kind.order]
