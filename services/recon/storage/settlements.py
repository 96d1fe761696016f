"""Payouts with what they pay out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select, update

from libs.access import EVERYTHING, AccessScope
from libs.events import Settlement, SettlementLine
from libs.listing import After, ListPart
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.layout import Layout
from libs.storage.repository import Repository
from libs.storage.rows import insert_rows, parts

from ..domain.errors import SettlementUnknown
from ..domain.settlement import StoredSettlement
from .mapping import SERVICE, oldest_first
from .seen import settlements_of
from .tables import SETTLEMENT, SETTLEMENT_LINE, TABLES

_STORED = Layout(StoredSettlement, SETTLEMENT)
_SETTLEMENTS = Layout(Settlement, SETTLEMENT)
_LINES = Layout(SettlementLine, SETTLEMENT_LINE)


class Settlements(Repository):
    """Settlements, within a transaction."""

    def find(self, name: str) -> StoredSettlement | None:
        """Locked until the transaction ends."""
        statement = select(SETTLEMENT).where(SETTLEMENT.c.name == name).with_for_update()
        found = self._stored(list(self._connection.execute(statement)))
        return found[0] if found else None

    def get(self, name: str, scope: AccessScope = EVERYTHING) -> StoredSettlement:
        """Raises `SettlementUnknown`."""
        found = self._where((SETTLEMENT.c.name == name) & settlements_of(scope))
        if not found:
            raise SettlementUnknown("no such settlement", field="name")
        return found[0]

    def save(self, stored: StoredSettlement, known: StoredSettlement | None, now: datetime) -> None:
        """Raises `StorageConflict` where another transaction just stored it first."""
        row = _SETTLEMENTS.row_of(stored.settlement) | _STORED.row_of(stored) | {"updated_at": now}
        if known is None:
            insert_rows(self._connection, SETTLEMENT, [row | {"created_at": now}])
        else:
            self._connection.execute(update(SETTLEMENT).where(SETTLEMENT.c.name == stored.name).values(row))
            self._connection.execute(delete(SETTLEMENT_LINE).where(SETTLEMENT_LINE.c.settlement == stored.name))
        lines = [
            _LINES.row_of(line) | {"settlement": stored.name, "position": position}
            for position, line in enumerate(stored.settlement.lines)
        ]
        insert_rows(self._connection, SETTLEMENT_LINE, lines)
        action = "SETTLEMENT_IMPORTED" if known is None else "SETTLEMENT_COMPLETED"
        detail = {"lines": str(len(stored.settlement.lines)), "ties": str(stored.ties).lower()}
        entry = AuditEntry(stored.name, action, SERVICE, now, stored.transaction_id, detail=detail)
        AuditLog(self._connection, TABLES).append([entry])

    def page(
        self, company: str, size: int, after: After | None, scope: AccessScope = EVERYTHING
    ) -> ListPart[StoredSettlement]:
        """Oldest first."""
        mine = (SETTLEMENT.c.company == company) & settlements_of(scope)
        part = oldest_first(self._connection, SETTLEMENT, SETTLEMENT.c.created_at, mine, size, after)
        return ListPart(self._stored(part.items), part.after)

    def unmatched(self, company: str) -> list[tuple[datetime, StoredSettlement]]:
        """Those whose payout is not matched with its transactions, with the time they came."""
        open_ones = (SETTLEMENT.c.company == company, SETTLEMENT.c.matched == 0)
        rows = list(self._connection.execute(select(SETTLEMENT).where(*open_ones).order_by(SETTLEMENT.c.name)))
        return [(row.created_at, settlement) for row, settlement in zip(rows, self._stored(rows), strict=True)]

    def of_payouts(self, company: str, payout_ids: Sequence[str]) -> list[StoredSettlement]:
        found = []
        for part in parts(sorted(set(payout_ids))):
            found += self._where((SETTLEMENT.c.company == company) & SETTLEMENT.c.payout_id.in_(part))
        return found

    def done(self, names: Sequence[str], now: datetime, *, proved: bool) -> None:
        """Nothing more is to be matched; `proved` by a match to the cent."""
        values: dict[str, Any] = {"matched": 1, "updated_at": now}
        if proved:
            values["stated"] = 1
        for part in parts(names):
            changed = update(SETTLEMENT).where(SETTLEMENT.c.name.in_(part)).values(values)
            named = self._connection.execute(changed.returning(SETTLEMENT.c.name, SETTLEMENT.c.transaction_id))
            entries = [AuditEntry(name, NOTED, SERVICE, now, transaction) for name, transaction in named]
            AuditLog(self._connection, TABLES).append(sorted(entries))

    def _where(self, condition: ColumnElement[bool]) -> list[StoredSettlement]:
        statement = select(SETTLEMENT).where(condition).order_by(SETTLEMENT.c.name)
        return self._stored(list(self._connection.execute(statement)))

    def _stored(self, rows: Sequence[Row[Any]]) -> list[StoredSettlement]:
        lines: dict[str, list[SettlementLine]] = {}
        table = SETTLEMENT_LINE
        for part in parts([row.name for row in rows]):
            statement = select(table).where(table.c.settlement.in_(part))
            for row in self._connection.execute(statement.order_by(table.c.settlement, table.c.position)):
                lines.setdefault(row.settlement, []).append(_LINES.value_of(row))
        return [
            _STORED.value_of(row, settlement=_SETTLEMENTS.value_of(row, lines=tuple(lines.get(row.name, ()))))
            for row in rows
        ]
