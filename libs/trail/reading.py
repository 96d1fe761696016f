"""The trail out of a service's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, literal_column, select

from libs.access import AccessScope
from libs.storage.audit import NOTED, PROVED, AuditEntry
from libs.storage.queues import count_waiting
from libs.storage.tables import SystemTables
from libs.storage.totals import Totals

from . import ControlTotal, QueueLength, Step

_NO_STEPS = frozenset(
    {
        *(NOTED, PROVED, "ALIASED", "CASE_OPENED", "CASE_RESOLVED", "EXCHANGE_ENTRY_FOUND", "TAKEN", "RECEIVED"),
        *("REPLAY_REQUESTED", "SETTLEMENT_WAITING", "STATEMENT_IMPORTED", "LEARNED"),
    }
)
NOBODY: ColumnElement[str] = literal_column("''")  # the company of rows that do not name one


class Queue(NamedTuple):
    """Which rows of a table wait, since when (see `count_waiting`), and whose they are: company, interface."""

    name: str
    table: Table
    waiting: ColumnElement[bool]
    since: ColumnElement[Any]
    whose: Sequence[ColumnElement[str]]


def read_lengths(connection: Connection, queues: Iterable[Queue], now: datetime) -> list[QueueLength]:
    """How long the queues are, by whose it is; one query a queue."""
    lengths: list[QueueLength] = []
    for queue in queues:
        found = count_waiting(connection, queue.table, queue.waiting, queue.since, queue.whose)
        lengths += [
            QueueLength(queue.name, part.depth, max(0.0, (now - part.oldest).total_seconds()), *part.whose)
            for part in found
        ] or [QueueLength(queue.name, 0, 0.0)]
    return lengths


def read_totals(connection: Connection, tables: SystemTables, company: str, scope: AccessScope) -> list[ControlTotal]:
    """Buckets of a company that hold something or once did, by day, interface, currency and bucket; of the scope's
    sources."""
    found = Totals(connection, tables).read(company=company, scope=scope)
    totals = [
        ControlTotal(
            key.interface, key.company, key.currency, key.day, key.bucket, total.count, total.minor_units,
            f"{total.names:064x}",
        )
        for key, total in found.items()
    ]  # fmt: skip
    return sorted(totals, key=lambda total: (total.day, total.interface, total.currency, total.bucket))


def resolve(connection: Connection, aliases: Table, transaction_id: str) -> tuple[str, list[str]]:
    """The transaction that an id stands for, and all ids it is known by: its aliases, then its own."""
    meant = transaction_id
    for _ in range(2):  # an id of ours, then the one that the ledger knew the event by
        known = connection.scalar(select(aliases.c.transaction_id).where(aliases.c.alias == meant))
        if known is None:
            break
        meant = known
    others = select(aliases.c.alias).where(aliases.c.transaction_id == meant).order_by(aliases.c.alias)
    return meant, [*connection.scalars(others), meant]


def is_step(entry: AuditEntry) -> bool:
    """Whether the trail tells of it: not of what only proves a row that comes with another step."""
    return entry.action not in _NO_STEPS


def step_of(entry: AuditEntry, state: str = "") -> Step:
    """What an audit entry says was done; `state` is the resource's after it, where it has states."""
    shown = {key: value for key, value in entry.detail.items() if key != "why"}  # people's words may name people
    details = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in sorted(shown.items()))
    return Step(entry.at, entry.action.lower(), entry.subject, state, details, entry.reason)
