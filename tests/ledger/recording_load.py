"""The record path as a plain callable, and the same rows for whoever writes them without asking questions.

For benchmarks: `record(n)` is ours (idempotent, an answer each, audit entry and total included); `write_plain(n)` puts
ready-made rows of the same tables in by `executemany` on SQLite and by COPY on PostgreSQL.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Table

from libs.events import EventKind, Reference, ReferenceKind, TransactionIds
from libs.storage.encoding import GENESIS
from services.ledger.domain.event import RecordedEvent
from services.ledger.handlers.record_events import IncomingEvent, record_events
from services.ledger.storage.tables import EVENT, EVENT_REFERENCE, TABLES
from services.ledger.storage.uow import LedgerUowFactory
from tests.ledger.domain.books import money

NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
Rows = Sequence[Mapping[str, Any]]


class RecordingLoad:
    """Fresh events without end; each has three references, so a header and three lines."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.new_uow = LedgerUowFactory(engine)
        self._numbers = itertools.count(1)
        self._ids = TransactionIds(lambda: NOW, random.Random(7))
        self._samples: dict[str, dict[str, Any]] = {}

    def events(self, count: int) -> list[IncomingEvent]:
        told = []
        for number in itertools.islice(self._numbers, count):
            references = (
                Reference(ReferenceKind.ORDER, f"{number}"),
                Reference(ReferenceKind.PAYMENT, f"ch_{number:016d}"),
                Reference(ReferenceKind.CUSTOMER, f"cus_{number % 1000}"),
            )
            event = money(EventKind.CAPTURE, "108.00", "3.43", txn=f"txn_{number:016d}", references=references)
            told.append(IncomingEvent(event, "bench"))
        return told

    def record(self, told: Sequence[IncomingEvent]) -> int:
        """Ours; the number of events that were new."""
        answers = record_events(told, self.new_uow, lambda: NOW, self._ids)
        return sum(isinstance(one, RecordedEvent) and not one.duplicate for one in answers)

    def plain_rows(self, count: int) -> dict[Table, Rows]:
        """Rows of the same width for the same tables, under keys of their own, made before the clock runs."""
        self._sample()
        rows: dict[Table, list[dict[str, Any]]] = {EVENT: [], EVENT_REFERENCE: [], TABLES.audit_entry: []}
        for number in itertools.islice(self._numbers, count):
            name = f"sources/stripe/accounts/acct_1/events/txn_{number:016d}"
            rows[EVENT].append(self._samples["event"] | {"name": name})
            for kind in ("order", "payment", "customer"):
                reference = {"company": "acme", "kind": kind, "value": f"ch_{number:016d}", "event": name, "issuer": ""}
                rows[EVENT_REFERENCE].append(reference)
            rows[TABLES.audit_entry].append(self._samples["audit_entry"] | {"subject": name})
        return dict(rows)

    def write_plain(self, rows: Mapping[Table, Rows]) -> None:
        """One commit of ready rows: `executemany`, or COPY."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")  # begins the transaction, as ours does
            driver: Any = connection.connection.driver_connection
            for table, those in rows.items():
                columns = list(those[0])
                names = ", ".join(columns)
                values = [tuple(row.values()) for row in those]
                if connection.dialect.name == "sqlite":
                    marks = ", ".join("?" * len(columns))
                    driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)
                else:
                    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                        for value in values:
                            copy.write_row(value)
            connection.commit()

    def _sample(self) -> None:
        """One recorded row of each table, as the driver gives it."""
        if self._samples:
            return
        self.record(self.events(1))
        for table in (EVENT, TABLES.audit_entry):
            with self.engine.connect() as connection:
                found = connection.exec_driver_sql(f"SELECT * FROM {table.name} LIMIT 1").mappings().one()
            self._samples[table.name] = {key: value for key, value in found.items() if key != "id"}
        self._samples["audit_entry"] |= {"prev_hash": GENESIS}
