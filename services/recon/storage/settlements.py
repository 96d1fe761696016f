"""Payouts with what they pay out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update

from libs.events import Settlement, SettlementLine
from libs.listing import After
from libs.money import Money
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.rows import insert_rows, parts

from ..domain.errors import SettlementUnknown
from ..domain.settlement import StoredSettlement
from .mapping import SERVICE, listed_after
from .rows import SETTLEMENT, SETTLEMENT_LINE, TABLES


class Settlements:
    """Settlements, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, name: str) -> StoredSettlement | None:
        """Locked until the transaction ends."""
        statement = select(SETTLEMENT).where(SETTLEMENT.c.name == name).with_for_update()
        found = self._stored(list(self._connection.execute(statement)))
        return found[0] if found else None

    def get(self, name: str) -> StoredSettlement:
        """Raises `SettlementUnknown`."""
        found = self._where(SETTLEMENT.c.name == name)
        if not found:
            raise SettlementUnknown("no such settlement", field="name")
        return found[0]

    def save(self, stored: StoredSettlement, known: StoredSettlement | None, now: datetime) -> None:
        """Raises `StorageConflict` where another transaction just stored it first."""
        if known is None:
            row = _row(stored) | {"name": stored.name, "created_at": now, "updated_at": now}
            insert_rows(self._connection, SETTLEMENT, [row])
        else:
            values = _row(stored) | {"updated_at": now}
            self._connection.execute(update(SETTLEMENT).where(SETTLEMENT.c.name == stored.name).values(values))
            self._connection.execute(delete(SETTLEMENT_LINE).where(SETTLEMENT_LINE.c.settlement == stored.name))
        insert_rows(self._connection, SETTLEMENT_LINE, _lines(stored))
        action = "SETTLEMENT_IMPORTED" if known is None else "SETTLEMENT_COMPLETED"
        detail = {"lines": str(len(stored.settlement.lines)), "ties": str(stored.ties).lower()}
        entry = AuditEntry(stored.name, action, SERVICE, now, stored.transaction_id, detail=detail)
        AuditLog(self._connection, TABLES).append([entry])

    def page(self, company: str, size: int, after: After | None) -> list[tuple[After, StoredSettlement]]:
        """Oldest first, each with its place."""
        listed = listed_after(SETTLEMENT, SETTLEMENT.c.created_at, after)
        statement = select(SETTLEMENT).where(SETTLEMENT.c.company == company, *listed)
        order = (SETTLEMENT.c.created_at, SETTLEMENT.c.name)
        rows = list(self._connection.execute(statement.order_by(*order).limit(size)))
        places = [(row.created_at.isoformat(), row.name) for row in rows]
        return list(zip(places, self._stored(rows), strict=True))

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
            self._connection.execute(update(SETTLEMENT).where(SETTLEMENT.c.name.in_(part)).values(values))

    def _where(self, condition: ColumnElement[bool]) -> list[StoredSettlement]:
        statement = select(SETTLEMENT).where(condition).order_by(SETTLEMENT.c.name)
        return self._stored(list(self._connection.execute(statement)))

    def _stored(self, rows: Sequence[Row[Any]]) -> list[StoredSettlement]:
        lines: dict[str, list[SettlementLine]] = {}
        table = SETTLEMENT_LINE
        for part in parts([row.name for row in rows]):
            statement = select(table).where(table.c.settlement.in_(part))
            for row in self._connection.execute(statement.order_by(table.c.settlement, table.c.position)):
                amounts = (Money(row.currency, units) for units in (row.gross, row.fee, row.net))
                lines.setdefault(row.settlement, []).append(SettlementLine(row.balance_transaction, *amounts))
        return [_settlement(row, tuple(lines.get(row.name, ()))) for row in rows]


def _row(stored: StoredSettlement) -> dict[str, Any]:
    settlement = stored.settlement
    return {
        "company": settlement.company,
        "interface": settlement.interface,
        "payout_id": settlement.payout_id,
        "payout_transaction": settlement.payout_transaction,
        "currency": settlement.amount.currency,
        "minor_units": settlement.amount.minor_units,
        "stated": int(stored.stated),
        "arrival_date": settlement.arrival_date,
        "bank_references": json.dumps(settlement.bank_references, ensure_ascii=False),
        "matched": int(stored.matched),
        "transaction_id": stored.transaction_id,
        "delivery": stored.delivery,
    }


def _lines(stored: StoredSettlement) -> list[dict[str, Any]]:
    return [
        {
            "settlement": stored.name,
            "balance_transaction": line.balance_transaction,
            "position": position,
            "currency": line.net.currency,
            "gross": line.gross.minor_units,
            "fee": line.fee.minor_units,
            "net": line.net.minor_units,
        }
        for position, line in enumerate(stored.settlement.lines)
    ]


def _settlement(row: Row[Any], lines: tuple[SettlementLine, ...]) -> StoredSettlement:
    settlement = Settlement(
        company=row.company,
        interface=row.interface,
        payout_id=row.payout_id,
        payout_transaction=row.payout_transaction,
        amount=Money(row.currency, row.minor_units),
        arrival_date=row.arrival_date,
        lines=lines,
        bank_references=tuple(json.loads(row.bank_references)),
    )
    return StoredSettlement(row.name, settlement, row.transaction_id, row.delivery, bool(row.stated), bool(row.matched))
