"""The sealer: gives committed audit entries and outbox rows their numbers, and folds the totals.

Row ids are given before the commit, so a row with a lower id may appear after one with a higher id was read. A sealed
number is given after the commit, by one sealer at a time, so numbers appear in order and without gaps: whoever has
read up to number n misses nothing by going on from there. Both kinds are chained in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, literal_column, select, update

from .encoding import GENESIS, message_hash, message_text, next_seal
from .rows import insert_new, update_rows
from .tables import SystemTables
from .totals import Totals
from .uow import UnitOfWork

HEAD = "head"


@dataclass(slots=True)
class _Head:
    audit_number: int
    audit_hash: bytes
    outbox_number: int
    outbox_hash: bytes


class Sealer:
    """Run by every process of a service. The one that holds the head's row lock seals."""

    def __init__(self, new_uow: Callable[[], UnitOfWork], tables: SystemTables, *, batch: int = 1000) -> None:
        self._new_uow = new_uow
        self._tables = tables
        self._batch = batch
        self._head_exists = False

    def run_once(self) -> int:
        """Seal a batch of each kind in one transaction. Returns how many rows were sealed or folded."""
        with self._new_uow() as uow:
            connection = uow.connection
            head = self._take_head(connection)
            if head is None:
                return 0
            done = self._seal_entries(connection, head) + self._seal_outbox(connection, head)
            if done:
                values = {
                    "audit_number": head.audit_number,
                    "audit_hash": head.audit_hash,
                    "outbox_number": head.outbox_number,
                    "outbox_hash": head.outbox_hash,
                }
                connection.execute(update(self._tables.seal_head).values(values))
            done += Totals(connection, self._tables).fold(self._batch)
            if done or not self._head_exists:
                uow.commit()
                self._head_exists = True
            return done

    def _take_head(self, connection: Connection) -> _Head | None:
        """The chain's end, locked until the transaction ends; None while another process holds it."""
        table = self._tables.seal_head
        if not self._head_exists:
            row = {"id": HEAD, "audit_number": 0, "audit_hash": GENESIS, "outbox_number": 0}
            insert_new(connection, table, [row], ["id"])
        columns = (table.c.audit_number, table.c.audit_hash, table.c.outbox_number, table.c.outbox_hash)
        found = connection.execute(select(*columns).with_for_update(skip_locked=True)).one_or_none()
        return _Head(found[0], bytes(found[1]), found[2], bytes(found[3] or GENESIS)) if found else None

    def _seal_entries(self, connection: Connection, head: _Head) -> int:
        table = self._tables.audit_entry
        rows = self._unsealed(connection, table, table.c.id, table.c.hash)
        sealed = []
        for key, digest in map(tuple, rows):
            head.audit_number += 1
            head.audit_hash = next_seal(head.audit_hash, head.audit_number, bytes(digest))
            sealed.append((key, head.audit_number, head.audit_hash))
        update_rows(connection, table, "id", ["sealed_number", "chain_hash"], sealed)
        return len(sealed)

    def _seal_outbox(self, connection: Connection, head: _Head) -> int:
        table = self._tables.outbox
        content: ColumnElement[str] = literal_column(message_text(connection.dialect.name))
        rows = self._unsealed(connection, table, table.c.position, content, table.c.payload)
        sealed = []
        for position, text, payload in map(tuple, rows):
            head.outbox_number += 1
            head.outbox_hash = next_seal(head.outbox_hash, head.outbox_number, message_hash(text, payload))
            sealed.append((position, head.outbox_number, head.outbox_hash))
        update_rows(connection, table, "position", ["sealed_number", "chain_hash"], sealed)
        return len(sealed)

    def _unsealed(self, connection: Connection, table: Table, *columns: Any) -> Sequence[Row[Any]]:
        # By row id: within a subject or a key, whoever wrote later has seen the earlier row, hence has a higher id.
        statement = select(*columns).where(table.c.sealed_number.is_(None)).order_by(columns[0]).limit(self._batch)
        return connection.execute(statement).all()
