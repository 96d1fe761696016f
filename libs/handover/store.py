"""The table of events on their way to the ledger. `state` is the queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select, update

from libs.events import Digest, Event, event_from_json
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.leases import claim, finish, held, in_state, lease_of
from libs.storage.private import proof_of
from libs.storage.rows import insert_new, parts
from libs.storage.tables import SystemTables
from libs.storage.totals import TotalKey, Totals, one_event

from . import REASON_CHARACTERS, EventOutcome, EventState, NewEvent, OutboundEvent

TAKEN = "TAKEN"  # the action of a new event's first audit entry
HANDED_ON = "handed_on"  # the bucket of the control totals
SET_ASIDE = (EventState.REFUSED.value, EventState.PARKED.value)


@dataclass(frozen=True)
class OutboundTables:
    """A service's tables that the hand-over works on, and what its audit log calls it."""

    event: Table  # with `OutboundColumns`
    alias: Table  # transaction ids that proved to be another's: `alias`, `transaction_id`
    system: SystemTables
    actor: str
    recorded: str  # the audit entry's action once the ledger has the event


class OutboundEvents:
    """Events on their way, within a transaction."""

    def __init__(self, connection: Connection, tables: OutboundTables) -> None:
        self._connection = connection
        self._tables = tables
        self._table = tables.event

    def add(self, events: Iterable[NewEvent], now: datetime) -> set[str]:
        """Store those whose name is new, of one name the first; the new names. A known event stays as it is."""
        first: dict[str, NewEvent] = {}
        for event in events:
            first.setdefault(event.name, event)
        # Sorted, so that two batches with the same events never wait for each other.
        rows = [_row(first[name], now) for name in sorted(first)]
        new: set[str] = insert_new(self._connection, self._table, rows, ["name"])
        self.note([(name, first[name].transaction_id) for name in sorted(new)], now, action=TAKEN, new_subjects=True)
        return new

    def note(
        self, events: Sequence[tuple[str, str]], now: datetime, *, action: str = NOTED, new_subjects: bool = False
    ) -> None:
        """Audit entries of (name, transaction id) that are no steps of their own."""
        entries = [AuditEntry(name, action, self._tables.actor, now, transaction) for name, transaction in events]
        AuditLog(self._connection, self._tables.system).append(entries, new_subjects=new_subjects)

    def known(self, names: Iterable[str]) -> dict[str, OutboundEvent]:
        """Stored events by name, locked until the transaction ends."""
        found: dict[str, OutboundEvent] = {}
        for part in parts(sorted(set(names))):
            wanted = select(self._table).where(self._table.c.name.in_(part)).order_by(self._table.c.name)
            found |= {row.name: _stored(row) for row in self._connection.execute(wanted.with_for_update())}
        return found

    def conflicts(self, events: Sequence[NewEvent]) -> set[str]:
        """Names that are known with another content."""
        given = {event.name: event for event in events}
        columns = (self._table.c.name, self._table.c.digest, self._table.c.digest_version)
        found: set[str] = set()
        for part in parts(sorted(given)):
            rows = self._connection.execute(select(*columns).where(self._table.c.name.in_(part)))
            found |= {row.name for row in rows if not given[row.name].has(_digest(row))}
        return found

    def find(self, names: Iterable[str]) -> list[Event]:
        """Those that are stored, by name."""
        found: list[Event] = []
        for part in parts(sorted(set(names))):
            stored = select(self._table.c.payload).where(self._table.c.name.in_(part)).order_by(self._table.c.name)
            found += map(event_from_json, self._connection.scalars(stored))
        return found

    def set_aside(self, company: str) -> list[OutboundEvent]:
        """Refused and parked ones, by name."""
        condition = in_state(self._table, *SET_ASIDE) & (self._table.c.company == company)
        statement = select(self._table).where(condition).order_by(self._table.c.name)
        return [_stored(row) for row in self._connection.execute(statement)]

    def requeue(self, origin: str, now: datetime) -> int:
        """Refused and parked events of an origin, to be handed on again; how many there were."""
        values = {"state": EventState.WAITING.value, "reason": "", "available_at": now, "attempts": 0}
        stuck = (self._table.c.origin == origin) & in_state(self._table, *SET_ASIDE)
        changed = (
            update(self._table).where(stuck).values(values).returning(self._table.c.name, self._table.c.transaction_id)
        )
        requeued = sorted((name, transaction) for name, transaction in self._connection.execute(changed))
        self.note(requeued, now)
        return len(requeued)

    def claim(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[OutboundEvent]:
        """Waiting ones that are due, the longest due first."""
        rows = claim(
            self._connection,
            self._table,
            where=in_state(self._table, EventState.WAITING.value),
            order_by=[self._table.c.available_at, self._table.c.name],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
        )
        return [_stored(row, lease_of(self._table, row)) for row in rows]

    def finish(self, outcomes: Sequence[EventOutcome], now: datetime) -> list[EventOutcome]:
        """Those of events that were still ours; what left the queue, with audit entry, control total and alias."""
        kept: set[str] = finish(self._connection, self._table, list(map(_change, outcomes)), now=now)
        ours = [outcome for outcome in outcomes if outcome.stored.name in kept]
        done = [outcome for outcome in ours if outcome.retry_at is None]
        retried = [outcome.stored for outcome in ours if outcome.retry_at and outcome.reason != outcome.stored.reason]
        self.note([(stored.name, stored.event.transaction_id) for stored in retried], now)
        AuditLog(self._connection, self._tables.system).append([self._entry(outcome, now) for outcome in done])
        counted = [outcome.stored.event for outcome in done if outcome.count and not outcome.stored.counted]
        Totals(self._connection, self._tables.system).add(
            [(_total_key(event), one_event(event.name, event.amount.minor_units)) for event in counted]
        )
        self.alias(
            [(outcome.stored.event.transaction_id, outcome.alias_of) for outcome in done if outcome.alias_of], now
        )
        return ours

    def alias(self, pairs: Iterable[tuple[str, str]], now: datetime) -> None:
        """(alias, transaction id): ids that were named before the event proved known."""
        rows = [{"alias": alias, "transaction_id": known} for alias, known in sorted(set(pairs)) if alias != known]
        new = insert_new(self._connection, self._tables.alias, rows, ["alias"])
        entries = [
            AuditEntry(f"transactions/{row['alias']}", "ALIASED", self._tables.actor, now, row["transaction_id"])
            for row in rows
            if row["alias"] in new
        ]
        AuditLog(self._connection, self._tables.system).append(entries, new_subjects=True)

    def _entry(self, outcome: EventOutcome, now: datetime) -> AuditEntry:
        stored = outcome.stored
        action = self._tables.recorded if outcome.state is EventState.RECORDED else outcome.state.name
        transaction_id = stored.event.transaction_id
        return AuditEntry(
            stored.name,
            action,
            self._tables.actor,
            now,
            transaction_id,
            outcome.reason,
            content_digest=stored.digest.hex,
        )


def _row(event: NewEvent, now: datetime) -> dict[str, Any]:
    return {
        "name": event.name,
        "company": event.company,
        "transaction_id": event.transaction_id,
        "origin": event.origin,
        "digest": event.digest.hex,
        "digest_version": event.digest.version,
        "payload": event.payload,
        "payload_proof": proof_of(event.payload),
        "counted": 0,
        "reason": "",
        "state": EventState.WAITING.value,
        "available_at": now,
        "fence": 0,
        "attempts": 0,
    }


def _change(outcome: EventOutcome) -> tuple[Any, dict[str, Any]]:
    values: dict[str, Any] = {"reason": outcome.reason[:REASON_CHARACTERS]}
    if outcome.retry_at is not None:
        values["available_at"] = outcome.retry_at
    else:
        values["state"] = outcome.state.value
        if outcome.count:
            values["counted"] = 1
    return held(outcome.stored.lease), values


def _total_key(event: Event) -> TotalKey:
    """What the event is counted under."""
    day = event.effective_at.astimezone(UTC).date()
    return TotalKey(event.interface, event.company, event.amount.currency, day, HANDED_ON)


def _digest(row: Any) -> Digest:
    return Digest(row.digest, row.digest_version)


def _stored(row: Row[Any], lease: Any = None) -> OutboundEvent:
    return OutboundEvent(
        event=event_from_json(row.payload),
        digest=_digest(row),
        origin=row.origin,
        state=EventState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        counted=bool(row.counted),
        lease=lease,
    )
