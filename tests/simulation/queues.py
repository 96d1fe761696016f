"""Who has work, asked of the databases: a turn that finds nothing costs as much as one that does something."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

_DUE = "available_at <= '{now}' AND (lease_until IS NULL OR lease_until <= '{now}')"
_UNSEALED = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} WHERE {condition})"
    for table, condition in (
        ("audit_entry", "sealed_number IS NULL"),
        ("outbox", "sealed_number IS NULL"),
        ("total_delta", "1 = 1"),
    )
)


def _waits(table: str, condition: str, due: str = _DUE) -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE {condition} AND {due})"


# Whether recon's watcher has work, its own database cannot say.
WAITING: dict[str, dict[str, str]] = {
    "gateway": {
        "poll": _waits("source_cursor", "1 = 1"),
        "translate": _waits("delivery", "state = 'received' AND channel <> 'file'"),
        "forward": _waits("event", "state = 'waiting'"),
        "forward-file": _waits("delivery", "state = 'received' AND channel = 'file'"),
        "compose-payout": _waits("payout", "state = 'waiting'"),
        "forward-settlement": _waits("payout", "state = 'composed'"),
        "janitor": _waits("upload", "kept = 0", "begun_at < '{two_hours_ago}'"),
        "sealer": _UNSEALED,
    },
    "ledger": {
        "build": _waits("event", "build_due = 1"),
        "post": _waits("posting", "state IN ('ready', 'unknown', 'posting') AND parked = 0"),
        "reconcile": _waits("posting", "reconcile_at <= '{now}'", "1 = 1"),
        "match": _waits("applied_match", "state = 'pending' AND parked = 0"),
        "hold": _waits("posting", "state = 'held'"),
        "seal": _UNSEALED,
    },
    "recon": {
        "record": _waits("outbound_event", "state = 'waiting'"),
        "match": _waits("progress", "matched < changes", "1 = 1"),
        "differences": _waits("progress", "(differenced < matched OR due_at <= '{now}')", "1 = 1"),
        "apply": _waits("found_match", "state = 'confirmed'"),
        "sealer": _UNSEALED,
    },
}
# What must be empty once everything has come to rest, whenever it would be due.
UNFINISHED: dict[str, dict[str, str]] = {
    "gateway": {
        "deliveries": "SELECT name, state, reason FROM delivery WHERE state NOT IN ('forwarded', 'ignored')",
        "events": "SELECT name, state, reason FROM event WHERE state <> 'recorded'",
        "payouts": "SELECT key, state, reason FROM payout WHERE state <> 'forwarded'",
        "uploads": "SELECT id, kept FROM upload WHERE kept = 0",
    },
    "ledger": {
        "events": "SELECT name, state FROM event WHERE build_due = 1",
        "postings": "SELECT key, state, reason, parked FROM posting"
        " WHERE state NOT IN ('posted', 'exception') OR parked = 1 OR reconcile_at IS NOT NULL",
        "matches": "SELECT name, state, reason FROM applied_match WHERE state <> 'written'",
    },
    "recon": {
        "events": "SELECT name, state, reason FROM outbound_event WHERE state <> 'recorded'",
        "matches": "SELECT name, state, reason FROM found_match WHERE state <> 'written'",
        "settlements": "SELECT name FROM settlement WHERE matched = 0",
    },
}


class Queues:
    """Looks at one service's tables, outside of its transactions."""

    def __init__(self, service: str, engine: Engine) -> None:
        self._waiting = WAITING[service]
        self._select = "SELECT " + ", ".join(self._waiting.values())
        self._unfinished = UNFINISHED[service]
        self._engine = engine
        self._looking: Any = None

    def with_work(self, now: datetime) -> set[str]:
        """Names of the workers that would find something."""
        select = self._select.replace("{now}", _text(now)).replace("{two_hours_ago}", _text(now - timedelta(hours=2)))
        (row,) = self._rows(select)
        return {name for name, waits in zip(self._waiting, row, strict=True) if waits}

    def unfinished(self) -> dict[str, list[tuple[object, ...]]]:
        """What has not found its end, by queue."""
        found = {name: self._rows(statement) for name, statement in self._unfinished.items()}
        return {name: rows for name, rows in found.items() if rows}

    def close(self) -> None:
        """Look no more."""
        if self._looking is not None and self._engine.dialect.name == "postgresql":
            self._looking.close()
        self._looking = None

    def _rows(self, statement: str) -> list[tuple[object, ...]]:
        """By the driver, on a connection kept for looking: SQLAlchemy would cost ten times the look."""
        if self._looking is None:
            pooled = self._engine.raw_connection()
            self._looking = pooled.driver_connection
            if self._engine.dialect.name == "postgresql":
                pooled.detach()
                self._looking.autocommit = True
        return [tuple(row) for row in self._looking.execute(statement)]


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
