"""Events: recorded once, built from a queue. Nothing on the way of a new event uses the ORM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, literal_column, select, update

from libs.access import AccessScope
from libs.events import Event, Reference, event_from_json, event_to_json
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.leases import claim, finish, release
from libs.storage.private import proof_of
from libs.storage.rows import insert_new, insert_rows
from libs.storage.totals import TotalKey, Totals, one_event

from ..domain.committed import Committed
from ..domain.enrichment import enriched
from ..domain.errors import EventConflict, EventRefused, EventUnknown, TransactionIdTaken
from ..domain.event import BuildState, BuiltEvent, RecordedEvent, Recording
from .mapping import lease, renew_claims, to_recorded
from .owners import TransactionOwners
from .tables import EVENT, EVENT_REFERENCE, POSTING, TABLES, TRANSACTION_ALIAS

_DUE = EVENT.c.build_due == literal_column("1")  # written out, so that the partial index serves it
BUCKETS = {BuildState.RECORDED: "pending", BuildState.NO_EFFECT: "no_effect"}
# Tuples of named columns: every accepted event passes here, and mappings would cost it several microseconds.
_EVENT_COLUMNS = (
    "name", "company", "interface", "kind", "object_id", "transaction_id", "state", "build_due", "bucket", "digest",
    "digest_version", "payload", "payload_proof", "minor_units", "currency", "effective_at", "recorded_at",
    "recorded_by", "traceparent", "available_at", "fence", "attempts",
)  # fmt: skip
_REFERENCE_COLUMNS = ("company", "kind", "value", "event", "issuer")


class RecordedEvents:
    """The ledger's events, within a transaction."""

    def __init__(self, connection: Connection, committed: Committed) -> None:
        self._connection = connection
        self._committed = committed

    def record(self, recordings: Sequence[Recording], now: datetime) -> list[RecordedEvent | EventRefused]:
        """Store each event once; an answer an event, in order. What a repeat adds to a known event is merged.

        The unique name decides races; a batch with an event twice stores it once.
        """
        taken = TransactionOwners(self._connection).taken(recordings)
        first: dict[str, Recording] = {}
        for place, recording in enumerate(recordings):
            if place not in taken:
                first.setdefault(recording.event.name, recording)
        # Sorted, so that two batches with the same events never wait for each other.
        rows = [_row(first[name], now) for name in sorted(first)]
        new = insert_new(self._connection, EVENT, rows, ["name"], _EVENT_COLUMNS)
        fresh = [first[name] for name in sorted(new)]
        self._add_around(fresh, now)
        known = self._known([name for name in first if name not in new])
        answers: list[RecordedEvent | EventRefused] = []
        for place, recording in enumerate(recordings):
            if place in taken:
                answers.append(TransactionIdTaken())
                continue
            name = recording.event.name
            if name in new and first[name] is recording:
                fresh_one = _recorded(recording)
                answers.append(fresh_one)
                self._committed.recorded.append((fresh_one, bool(recording.requested_transaction_id)))
                continue
            if name in new and name not in known:
                known |= self._known([name])
            answers.append(self._again(recording, known, now))
        return answers

    def get(self, name: str, scope: AccessScope) -> RecordedEvent:
        """Raises `EventUnknown`, also for one of a company beyond the scope."""
        found = self._known([name]).get(name)
        if found is None or not scope.allows_company(found.event.company):
            raise EventUnknown("no such event", field="name")
        return found

    def claim_to_build(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[RecordedEvent]:
        """Oldest first."""
        rows = claim(
            self._connection,
            EVENT,
            where=_DUE,
            order_by=[EVENT.c.available_at, EVENT.c.name],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
        )
        return [to_recorded(row) for row in rows]

    def renew(self, events: Sequence[RecordedEvent], *, now: datetime, lease_seconds: float) -> list[RecordedEvent]:
        """Those that are still ours, with their new claim."""
        claims = {recorded.event.name: recorded.claim for recorded in events}
        kept = renew_claims(self._connection, EVENT, claims, now=now, lease_seconds=lease_seconds)
        return [replace(recorded, claim=new) for recorded in events if (new := kept.get(recorded.event.name))]

    def built(self, outcomes: Sequence[BuiltEvent], now: datetime, *, failure: str = "") -> set[str]:
        """End the claims; the names of the events that were still ours.

        `failure` is the reason of a technical failure, for which they are built again.
        """
        finished = []
        for outcome in outcomes:
            assert outcome.event.claim is not None, "only a claimed event is built"
            values: dict[str, Any] = {
                "state": outcome.state.value,
                "build_due": int(outcome.due_at is not None),
                "available_at": outcome.due_at or now,
                "mapping_revision": outcome.mapping_revision,
                "hold_until": outcome.hold_until,
                "attempts": outcome.event.attempts if outcome.keep_attempts else 0,
            }
            finished.append((lease(outcome.event.event.name, outcome.event.claim), values))
        kept: set[str] = finish(self._connection, EVENT, finished, now=now)
        if failure:
            ours = [outcome.event.event for outcome in outcomes if outcome.event.event.name in kept]
            self._committed.postponed += [(event, failure) for event in ours]
        return kept

    def release(self, events: Sequence[RecordedEvent], *, now: datetime, at: datetime) -> None:
        """Give claimed events back untried."""
        leases = [lease(recorded.event.name, recorded.claim) for recorded in events if recorded.claim is not None]
        release(self._connection, EVENT, leases, now=now, at=at)

    def build_again(self, names: Sequence[str], now: datetime) -> None:
        """Put events into the build queue, with a new budget.

        A worker that is building one of them at this moment loses its claim, and its work with it.
        """
        values = {
            "state": BuildState.RECORDED.value,
            "build_due": 1,
            "available_at": now,
            "attempts": 0,
            "hold_until": None,
            "lease_owner": None,
            "lease_until": None,
            "fence": EVENT.c.fence + 1,
        }
        self._connection.execute(update(EVENT).where(EVENT.c.name.in_(names)).values(values))
        self._committed.queues.add("build")

    def _add_around(self, fresh: Sequence[Recording], now: datetime) -> None:
        """References, audit entries and totals of new events."""
        if not fresh:
            return
        references = _reference_rows([recording.event for recording in fresh])
        insert_rows(self._connection, EVENT_REFERENCE, references, _REFERENCE_COLUMNS)
        entries = [
            AuditEntry(
                recording.event.name,
                "RECORDED",
                recording.recorded_by,
                now,
                recording.event.transaction_id,
                content_digest=recording.digest.hex,
            )
            for recording in fresh
        ]
        AuditLog(self._connection, TABLES).append(entries, new_subjects=True)
        totals = [
            (
                total_key(recording.event, BUCKETS[recording.state]),
                one_event(recording.event.name, recording.event.amount.minor_units),
            )
            for recording in fresh
        ]
        Totals(self._connection, TABLES).add(totals)
        self._committed.queues.add("build")

    def _again(
        self, recording: Recording, known: dict[str, RecordedEvent], now: datetime
    ) -> RecordedEvent | EventConflict:
        """The first answer, or a conflict."""
        event = recording.event
        before = known[event.name]
        if not before.digest.fits(event):
            return EventConflict(event.name, before.digest.hex, recording.digest.hex)
        transaction_id = before.event.transaction_id
        if recording.requested_transaction_id and recording.requested_transaction_id != transaction_id:
            self._alias(recording, transaction_id, now)
        if enriched(before.event, event) is not before.event:
            before = known[event.name] = self._enrich(recording, now)
        self._committed.repeated.append(event)
        return replace(before, duplicate=True)

    def _alias(self, recording: Recording, transaction_id: str, now: datetime) -> None:
        """The id that the caller named stands for the event's own."""
        alias = recording.requested_transaction_id
        row = {"alias": alias, "transaction_id": transaction_id, "created_at": now}
        if insert_new(self._connection, TRANSACTION_ALIAS, [row], ["alias"]):
            entry = AuditEntry(f"transactions/{alias}", "ALIASED", recording.recorded_by, now, transaction_id)
            AuditLog(self._connection, TABLES).append([entry], new_subjects=True)

    def _enrich(self, recording: Recording, now: datetime) -> RecordedEvent:
        """Merge what a repeat adds, and look at the event's story again."""
        name = recording.event.name
        row = self._connection.execute(select(EVENT).where(EVENT.c.name == name).with_for_update()).one()
        known = event_from_json(row.payload)
        merged = enriched(known, recording.event)
        if merged is not known:
            added = [reference for reference in merged.references if reference not in known.references]
            new_rows = _reference_rows([merged], added)
            insert_new(self._connection, EVENT_REFERENCE, new_rows, _REFERENCE_COLUMNS, _REFERENCE_COLUMNS)
            payload = event_to_json(merged)
            values = {
                "payload": payload,
                "payload_proof": proof_of(payload),
                "build_due": 1,
                "available_at": now,
                # Whoever builds it at this moment does so without the new details: the claim is taken away.
                "lease_owner": None,
                "lease_until": None,
                "fence": EVENT.c.fence + 1,
            }
            self._connection.execute(update(EVENT).where(EVENT.c.name == name).values(values))
            brought_by = {"delivery": recording.event.provenance.delivery, "translator": merged.provenance.translator}
            entry = AuditEntry(
                name,
                "ENRICHED",
                recording.recorded_by,
                now,
                merged.transaction_id,
                content_digest=recording.digest.hex,
                detail={key: value for key, value in brought_by.items() if value},
            )
            AuditLog(self._connection, TABLES).append([entry])
            self._committed.queues.add("build")
        return self._known([name])[name]

    def _known(self, names: list[str]) -> dict[str, RecordedEvent]:
        if not names:
            return {}
        keys: dict[str, list[str]] = {}
        postings = select(POSTING.c.event, POSTING.c.key).where(POSTING.c.event.in_(names))
        for event, key in self._connection.execute(postings.order_by(POSTING.c.created_at, POSTING.c.key)):
            keys.setdefault(event, []).append(key)
        rows: Sequence[Row[Any]] = self._connection.execute(select(EVENT).where(EVENT.c.name.in_(names))).all()
        return {row.name: to_recorded(row, tuple(keys.get(row.name, ()))) for row in rows}


def total_key(event: Event, bucket: str) -> TotalKey:
    """What the event is counted under."""
    day = event.effective_at.astimezone(UTC).date()
    return TotalKey(event.interface, event.company, event.amount.currency, day, bucket)


def _recorded(recording: Recording) -> RecordedEvent:
    return RecordedEvent(
        event=recording.event,
        state=recording.state,
        digest=recording.digest,
        recorded_by=recording.recorded_by,
        traceparent=recording.traceparent,
    )


def _row(recording: Recording, now: datetime) -> tuple[Any, ...]:
    """In the order of `_EVENT_COLUMNS`."""
    event, amount, state = recording.event, recording.event.amount, recording.state
    payload = event_to_json(event)
    return (
        event.name,
        event.company,
        event.interface,
        event.kind.value,
        event.object_id,
        event.transaction_id,
        state.value,
        int(recording.build_due),
        BUCKETS[state],
        recording.digest.hex,
        recording.digest.version,
        payload,
        proof_of(payload),
        amount.minor_units,
        amount.currency,
        event.effective_at,
        now,
        recording.recorded_by,
        recording.traceparent,
        now,
        0,
        0,
    )


def _reference_rows(events: Sequence[Event], only: Sequence[Reference] | None = None) -> list[tuple[Any, ...]]:
    """In the order of `_REFERENCE_COLUMNS`, each once."""
    rows: dict[tuple[Any, ...], None] = {}
    for event in events:
        company, name = event.company, event.name
        for reference in event.references if only is None else only:
            rows[company, reference.kind.value, reference.value, name, reference.issuer] = None
    return list(rows)
