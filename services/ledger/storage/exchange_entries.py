"""Entries that Odoo made by itself when it reconciled in a foreign currency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.rows import insert_new

from ..domain.posting import LEDGER
from ..domain.view import DocumentView
from .tables import EXCHANGE_ENTRY, TABLES


class ExchangeEntries:
    """Within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, company: str, cause: str, entries: Sequence[DocumentView], now: datetime) -> None:
        """Keep them under what was reconciled; one already known stays with its first cause."""
        rows = [
            {
                "company": company,
                "odoo_id": entry.odoo_id,
                "number": entry.number,
                "day": entry.day.isoformat(),
                "cause": cause,
                "found_at": now,
            }
            for entry in entries
        ]
        new = insert_new(self._connection, EXCHANGE_ENTRY, rows, ["company", "odoo_id"])
        found = [
            AuditEntry(f"companies/{company}/exchangeEntries/{odoo_id}", "EXCHANGE_ENTRY_FOUND", LEDGER, now, "")
            for company, odoo_id in sorted(new)
        ]
        AuditLog(self._connection, TABLES).append(found, new_subjects=True)
