"""Events on their way to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from libs.events import Event, event_from_json, event_to_json
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.leases import claim, finish, in_state
from libs.storage.rows import insert_new
from libs.storage.totals import TotalKey, Totals, one_event

from ..domain.delivery import State
from ..domain.fact import EventState, StoredEvent
from ..handlers.ports import EventOutcome
from .mapping import claim_of, lease
from .rows import ALIAS, DELIVERY, EVENT, TABLES

HANDED_ON = "handed_on"
_LOOK_UP = 500


class Events:
    """Events, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, found: Sequence[StoredEvent], now: datetime) -> dict[str, StoredEvent]:
        first: dict[str, StoredEvent] = {}
        for one in found:
            first.setdefault(one.event.name, one)
        # Sorted, so that two batches with the same events never wait for each other.
        rows = [_row(first[name], now) for name in sorted(first)]
        new = insert_new(self._connection, EVENT, rows, ["name"])
        stored = {name: first[name] for name in new}
        stored |= self._find([name for name in first if name not in new])
        for one in found:
            stored[one.event.name] = self._merged(stored[one.event.name], one, now)
        return stored

    def claim(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[StoredEvent]:
        rows = claim(
            self._connection,
            EVENT,
            where=in_state(EVENT, EventState.WAITING.value),
            order_by=[EVENT.c.available_at, EVENT.c.name],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
        )
        return [_stored(row, claimed=True) for row in rows]

    def finish(self, outcomes: Sequence[EventOutcome], now: datetime) -> set[str]:
        finished: list[tuple[Any, dict[str, Any]]] = []
        for one in outcomes:
            if one.retry_at is not None:
                values: dict[str, Any] = {"available_at": one.retry_at, "reason": one.reason}
            else:
                values = {"state": one.state.value, "reason": one.reason}
                if one.count:
                    values["counted"] = 1
            finished.append((lease(one.stored.event.name, one.stored.claim), values))
        kept: set[str] = finish(self._connection, EVENT, finished, now=now)
        done = [one for one in outcomes if one.stored.event.name in kept and one.retry_at is None]
        entries = [
            AuditEntry(
                one.stored.event.name, one.state.value, "gateway", now, one.stored.event.transaction_id, one.reason,
                content_digest=one.stored.digest,
            )
            for one in done
        ]  # fmt: skip
        if entries:
            AuditLog(self._connection, TABLES).append(entries)
        counted = [one.stored.event for one in done if one.count and not one.stored.counted]
        Totals(self._connection, TABLES).add(
            [(total_key(event), one_event(event.name, event.amount.minor_units)) for event in counted]
        )
        self.alias([(one.stored.event.transaction_id, one.alias_of) for one in done if one.alias_of])
        return kept

    def alias(self, pairs: Sequence[tuple[str, str]]) -> None:
        rows = [{"alias": alias, "transaction_id": known} for alias, known in sorted(set(pairs)) if alias != known]
        insert_new(self._connection, ALIAS, rows, ["alias"])

    def _merged(self, stored: StoredEvent, told: StoredEvent, now: datetime) -> StoredEvent:
        """A repeat that names more references than before: the ledger must hear of them too."""
        event = stored.event
        more = [one for one in told.event.references if one not in event.references]
        if not more or stored.digest != told.digest or stored.state not in (EventState.WAITING, EventState.FORWARDED):
            return stored
        merged = replace(event, references=(*event.references, *more))
        values = {
            "payload": event_to_json(merged),
            "state": EventState.WAITING.value,
            "available_at": now,
            "attempts": 0,
            # Whoever hands it on at this moment does so without the new ones: the claim is taken away.
            "lease_owner": None,
            "lease_until": None,
            "fence": EVENT.c.fence + 1,
        }
        self._connection.execute(update(EVENT).where(EVENT.c.name == event.name).values(values))
        if stored.state is EventState.FORWARDED:
            # It will be counted off its delivery once more; uncounted, another event's place would be.
            unfinished = (DELIVERY.c.transaction_id == stored.delivery) & in_state(DELIVERY, State.TRANSLATED.value)
            one_more = {"waiting_events": DELIVERY.c.waiting_events + 1}
            self._connection.execute(update(DELIVERY).where(unfinished).values(one_more))
        return replace(stored, event=merged, state=EventState.WAITING)

    def _find(self, names: Sequence[str]) -> dict[str, StoredEvent]:
        found: dict[str, StoredEvent] = {}
        for start in range(0, len(names), _LOOK_UP):
            wanted = EVENT.c.name.in_(names[start : start + _LOOK_UP])
            statement = select(EVENT).where(wanted).order_by(EVENT.c.name).with_for_update()
            found.update({row.name: _stored(row) for row in self._connection.execute(statement)})
        return found


def total_key(event: Event) -> TotalKey:
    """What the event is counted under."""
    day = event.effective_at.astimezone(UTC).date()
    return TotalKey(event.interface, event.company, event.amount.currency, day, HANDED_ON)


def _row(one: StoredEvent, now: datetime) -> dict[str, Any]:
    return {
        "name": one.event.name,
        "transaction_id": one.event.transaction_id,
        "delivery": one.delivery,
        "kind": one.event.kind.value,
        "digest": one.digest,
        "payload": event_to_json(one.event),
        "counted": 0,
        "reason": "",
        "state": EventState.WAITING.value,
        "available_at": now,
        "fence": 0,
        "attempts": 0,
    }


def _stored(row: Row[Any], *, claimed: bool = False) -> StoredEvent:
    return StoredEvent(
        event=event_from_json(row.payload),
        state=EventState(row.state),
        digest=row.digest,
        delivery=row.delivery,
        reason=row.reason,
        attempts=row.attempts,
        counted=bool(row.counted),
        claim=claim_of(row) if claimed else None,
    )
