"""The masters of each company: what the last reading of Odoo left, and the names that other systems use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, delete, insert, select, tuple_, update

from libs.access import AccessScope
from libs.listing import After, ListPart, part_of
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.layout import Layout
from libs.storage.repository import Repository
from libs.storage.rows import insert_rows, parts
from libs.storage.scoping import in_companies

from ..domain.company_masters import CompanyMasters, NamedRecords
from ..domain.errors import CompanyUnknown
from ..domain.mapping import CompanyMapping
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
from .tables import EXTERNAL_REFERENCE, LEGAL_ENTITY, PARTY, TABLES

SERVICE = "masterdata"  # the actor of what a reading of Odoo brings
R = TypeVar("R", bound=Record)
_ENTITIES = Layout(LegalEntity, LEGAL_ENTITY)


class MasterRecords(Repository):
    """Reads and writes masters within a transaction."""

    def revision(self, company: str) -> int:
        statement = select(LEGAL_ENTITY.c.revision).where(LEGAL_ENTITY.c.company == company)
        return self._connection.scalar(statement) or 0

    def find(self, company: str, *, lock: bool = False) -> StoredCompany | None:
        statement = select(LEGAL_ENTITY).where(LEGAL_ENTITY.c.company == company)
        row = self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        return StoredCompany(_ENTITIES.value_of(row), row.read_at) if row else None

    def get(self, company: str, *, lock: bool = False) -> StoredCompany:
        """Raises `CompanyUnknown`."""
        stored = self.find(company, lock=lock)
        if stored is None:
            raise CompanyUnknown("nothing was ever synced for this company")
        return stored

    def of_odoo(self, odoo_id: int) -> LegalEntity | None:
        row = self._connection.execute(select(LEGAL_ENTITY).where(LEGAL_ENTITY.c.odoo_id == odoo_id)).one_or_none()
        return _ENTITIES.value_of(row) if row else None

    def put(self, entity: LegalEntity, read_at: datetime) -> None:
        values = _ENTITIES.row_of(entity) | {"read_at": read_at}
        mine = LEGAL_ENTITY.c.company == entity.company
        if not self._connection.execute(update(LEGAL_ENTITY).where(mine).values(values)).rowcount:
            self._connection.execute(insert(LEGAL_ENTITY).values(values))
        entry = AuditEntry(f"companies/{entity.company}", NOTED, SERVICE, read_at, "")
        AuditLog(self._connection, TABLES).append([entry])

    def replace(self, company: str, reading: Reading, read_at: datetime) -> int:
        return sum(self._replace(kind, company, getattr(reading, kind.read_as), read_at) for kind in KINDS.values())

    def _replace(self, kind: RecordKind, company: str, records: Sequence[Record], read_at: datetime) -> int:
        stored = {kind.key_of(record): record for record in self._all(kind, company)}
        reported = {kind.key_of(record): record for record in records}
        if kind.can_rest:
            for key, item in stored.items():
                if key not in reported and getattr(item, "active", False):
                    reported[key] = replace(item, active=False)
        new = [item for key, item in reported.items() if key not in stored]
        changed = [item for key, item in reported.items() if key in stored and stored[key] != item]
        gone = [] if kind.can_rest else [key for key in stored if key not in reported]
        self._remove(kind, company, [*gone, *map(kind.key_of, changed)])
        rows = [{"company": company, **kind.row_of(record)} for record in (*new, *changed)]
        insert_rows(self._connection, kind.table, rows)
        touched = [kind.subject_of(company, key) for key in (*gone, *map(kind.key_of, (*new, *changed)))]
        entries = [AuditEntry(subject, NOTED, SERVICE, read_at, "") for subject in touched]
        AuditLog(self._connection, TABLES).append(entries)
        return len(new) + len(changed) + len(gone)

    def _remove(self, kind: RecordKind, company: str, keys: Sequence[tuple[Any, ...]]) -> None:
        columns = [kind.table.c[name] for name in kind.key]
        for part in parts(keys):
            mine = (kind.table.c.company == company) & tuple_(*columns).in_(part)
            self._connection.execute(delete(kind.table).where(mine))

    def _all(self, kind: RecordKind, company: str) -> list[Any]:
        rows = self._connection.execute(select(kind.table).where(kind.table.c.company == company))
        return list(map(kind.value_of, rows))

    def of_company(self, entity: LegalEntity) -> CompanyMasters:
        return CompanyMasters.of(
            entity,
            *(self._all(KINDS[kind], entity.company) for kind in (Account, Journal, TaxCode, ExchangeRate)),
        )

    def named(self, company: str, mapping: CompanyMapping) -> NamedRecords:
        """What the mapping's rows of parties and products name."""
        by_name: dict[str, list[Party]] = defaultdict(list)
        for party in self._some(Party, company, "name", {row.partner for row in mapping.parties}):
            by_name[party.name].append(party)
        by_sku: dict[str, list[Product]] = defaultdict(list)
        for product in self._some(Product, company, "sku", {row.product for row in mapping.products}):
            by_sku[product.sku].append(product)
        parties = self._some(Party, company, "odoo_id", {row.partner_id for row in mapping.parties})
        products = self._some(Product, company, "odoo_id", {row.product_id for row in mapping.products})
        return NamedRecords(
            by_name,
            {party.odoo_id: party for party in parties},
            by_sku,
            {product.odoo_id: product for product in products},
        )

    def _some(self, record: type[R], company: str, column: str, values: Iterable[Any]) -> list[R]:
        """Those with one of the values, empty ones aside."""
        kind = KINDS[record]
        found: list[R] = []
        for part in parts(sorted(value for value in set(values) if value)):
            mine = (kind.table.c.company == company) & kind.table.c[column].in_(part)
            rows = self._connection.execute(select(kind.table).where(mine).order_by(*_order(kind)))
            found += map(kind.value_of, rows)
        return found

    def page(self, kind: type[R], company: str, size: int, after: After | None) -> ListPart[R]:
        """Those that are in use, in the kind's order."""
        how = KINDS[kind]
        condition: ColumnElement[bool] = how.table.c.company == company
        if how.can_rest:
            condition &= how.table.c.active
        if after is not None:
            condition &= tuple_(*_order(how)) > tuple_(*after)
        rows = self._connection.execute(select(how.table).where(condition).order_by(*_order(how)).limit(size + 1))
        return part_of(list(map(how.value_of, rows)), size, how.place_of)

    def companies(self, size: int, after: After | None, scope: AccessScope) -> ListPart[LegalEntity]:
        """Those of the scope, by name."""
        seen = in_companies(LEGAL_ENTITY.c.company, scope)
        statement = select(LEGAL_ENTITY).where(seen).order_by(LEGAL_ENTITY.c.company).limit(size + 1)
        if after is not None:
            statement = statement.where(LEGAL_ENTITY.c.company > after[0])
        found = list(map(_ENTITIES.value_of, self._connection.execute(statement)))
        return part_of(found, size, lambda entity: (entity.company,))

    def bind(self, company: str, references: Sequence[ExternalReference]) -> None:
        """To be followed by `put`, whose audit entry proves them."""
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
            found.update({(row.issuer, row.value): KINDS[Party].value_of(row) for row in rows})
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
        for product in self._some(Product, company, "sku", (sku for sku, _ in keys)):
            if product.active:
                found[(product.sku, 0)].append(product)
        for product in self._some(Product, company, "odoo_id", (odoo_id for _, odoo_id in keys)):
            if product.active:
                found[("", product.odoo_id)].append(product)
        return {key: tuple(products) for key, products in found.items()}


def _order(kind: RecordKind) -> list[Any]:
    return [kind.table.c[name] for name in kind.order]
