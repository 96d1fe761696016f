"""Events on their way to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from libs.events import Event, event_from_json
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.leases import claim, finish, in_state
from libs.storage.rows import insert_new
from libs.storage.totals import TotalKey, Totals, one_event

from ..domain.walk import EventOutcome, NewEvent, OutboundEvent
from .mapping import SERVICE, claim_of, lease, parts
from .rows import ALIAS, OUTBOUND_EVENT, TABLES

WAITING = "waiting"
FAILED = ("refused", "parked")
HANDED_ON = "handed_on"


class Outbound:
    """Events, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, events: Sequence[NewEvent], now: datetime) -> dict[str, bool]:
        """Store those whose name is new; by name, whether it is new. A known one of another digest is not stored."""
        first: dict[str, NewEvent] = {}
        for one in events:
            first.setdefault(one.name, one)
        # Sorted, so that two files with the same lines never wait for each other.
        rows = [_row(first[name], now) for name in sorted(first)]
        new = insert_new(self._connection, OUTBOUND_EVENT, rows, ["name"])
        return {name: name in new for name in first}

    def conflicts(self, events: Sequence[NewEvent]) -> set[str]:
        """Names that are known with another digest."""
        digests = {one.name: one.digest for one in events}
        columns = (OUTBOUND_EVENT.c.name, OUTBOUND_EVENT.c.digest)
        found: set[str] = set()
        for part in parts(sorted(digests)):
            rows = self._connection.execute(select(*columns).where(OUTBOUND_EVENT.c.name.in_(part)))
            found |= {row.name for row in rows if row.digest != digests[row.name]}
        return found

    def find(self, names: Sequence[str]) -> list[Event]:
        """Those that are stored, by name."""
        found: list[Event] = []
        for part in parts(sorted(set(names))):
            stored = select(OUTBOUND_EVENT.c.payload).where(OUTBOUND_EVENT.c.name.in_(part))
            found += map(event_from_json, self._connection.scalars(stored.order_by(OUTBOUND_EVENT.c.name)))
        return found

    def requeue(self, origin: str, now: datetime) -> int:
        """Parked and refused events of a file, to be handed on again."""
        stuck = in_state(OUTBOUND_EVENT, *FAILED)
        values = {"state": WAITING, "reason": "", "available_at": now, "attempts": 0}
        statement = update(OUTBOUND_EVENT).where(OUTBOUND_EVENT.c.origin == origin, stuck).values(values)
        return self._connection.execute(statement).rowcount

    def claim(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[OutboundEvent]:
        rows = claim(
            self._connection,
            OUTBOUND_EVENT,
            where=in_state(OUTBOUND_EVENT, WAITING),
            order_by=[OUTBOUND_EVENT.c.available_at, OUTBOUND_EVENT.c.name],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
        )
        return [_stored(row, claimed=True) for row in rows]

    def finish(self, outcomes: Sequence[EventOutcome], now: datetime) -> set[str]:
        """Names of those that were still ours, with audit, control totals and aliases."""
        finished: list[tuple[Any, dict[str, Any]]] = []
        for one in outcomes:
            if one.retry_at is not None:
                values: dict[str, Any] = {"available_at": one.retry_at, "reason": one.reason}
            else:
                values = {"state": one.state, "reason": one.reason}
                if one.count:
                    values["counted"] = 1
            finished.append((lease(one.stored.event.name, one.stored.claim), values))
        kept: set[str] = finish(self._connection, OUTBOUND_EVENT, finished, now=now)
        done = [one for one in outcomes if one.stored.event.name in kept and one.retry_at is None]
        entries = [
            AuditEntry(
                one.stored.event.name, one.state.upper(), SERVICE, now, one.stored.event.transaction_id, one.reason,
                content_digest=one.stored.digest,
            )
            for one in done
        ]  # fmt: skip
        if entries:
            AuditLog(self._connection, TABLES).append(entries)
        counted = [one.stored.event for one in done if one.count and not one.stored.counted]
        Totals(self._connection, TABLES).add(
            [(_total_key(event), one_event(event.name, event.amount.minor_units)) for event in counted]
        )
        pairs = {(one.stored.event.transaction_id, one.alias_of) for one in done if one.alias_of}
        aliases = [{"alias": alias, "transaction_id": known} for alias, known in sorted(pairs) if alias != known]
        insert_new(self._connection, ALIAS, aliases, ["alias"])
        return kept

    def failed(self, company: str) -> list[OutboundEvent]:
        """Refused and parked ones."""
        condition = in_state(OUTBOUND_EVENT, *FAILED) & (OUTBOUND_EVENT.c.company == company)
        statement = select(OUTBOUND_EVENT).where(condition).order_by(OUTBOUND_EVENT.c.name)
        return [_stored(row) for row in self._connection.execute(statement)]


def _total_key(event: Event) -> TotalKey:
    """What the event is counted under."""
    day = event.effective_at.astimezone(UTC).date()
    return TotalKey(event.interface, event.company, event.amount.currency, day, HANDED_ON)


def _row(one: NewEvent, now: datetime) -> dict[str, Any]:
    return {
        "name": one.name,
        "company": one.company,
        "transaction_id": one.transaction_id,
        "origin": one.origin,
        "digest": one.digest,
        "payload": one.payload,
        "counted": 0,
        "reason": "",
        "state": WAITING,
        "available_at": now,
        "fence": 0,
        "attempts": 0,
    }


def _stored(row: Row[Any], *, claimed: bool = False) -> OutboundEvent:
    return OutboundEvent(
        event=event_from_json(row.payload),
        digest=row.digest,
        origin=row.origin,
        attempts=row.attempts,
        reason=row.reason,
        counted=bool(row.counted),
        claim=claim_of(row) if claimed else None,
    )
