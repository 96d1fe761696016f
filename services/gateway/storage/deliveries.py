"""The inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, case, select, update

from libs.access import AccessScope
from libs.events import Channel
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.leases import claim, finish, held, in_state, lease_of
from libs.storage.private import proof_of
from libs.storage.rows import insert_new, insert_rows, parts
from libs.storage.scoping import in_sources
from providers.base import Delivery, Source

from ..domain.delivery import DeliveryOutcome, DeliveryState, NewDelivery, Receipt, StoredDelivery, check_transition
from ..domain.errors import DeliveryUnknown, ReplayConflict
from .events import GatewayEvents
from .payouts import Payouts
from .tables import DELIVERY, DELIVERY_BODY, EVENT, REPLAY, TABLES, UPLOAD

# Tuples of named columns: every webhook passes here.
_NEW_COLUMNS = (
    "transaction_id", "name", "provider", "account", "channel", "type", "sha256", "body_bytes", "received_at", "link",
    "upload", "file_name", "schema_fingerprint", "reason", "events", "waiting_events", "state", "available_at", "fence",
    "attempts",
)  # fmt: skip
_NAME = _NEW_COLUMNS.index("name")
_FILES = in_state(DELIVERY, DeliveryState.RECEIVED.value) & (DELIVERY.c.channel == Channel.FILE.value)
_MESSAGES = in_state(DELIVERY, DeliveryState.RECEIVED.value) & (DELIVERY.c.channel != Channel.FILE.value)


class Deliveries:
    """Deliveries, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, new: Sequence[NewDelivery], now: datetime) -> list[Receipt]:
        names = [delivery.delivery.name for delivery in new]
        rows = [_row(delivery, name, now) for delivery, name in zip(new, names, strict=True)]
        if self._connection.dialect.name == "postgresql":
            # Sorted, so that two batches with the same names never wait for each other.
            rows.sort(key=itemgetter(_NAME))
        stored = insert_new(self._connection, DELIVERY, rows, ["name"], _NEW_COLUMNS)
        first: dict[str, str] = {}
        bodies: list[tuple[str, bytes, str]] = []
        uploads: list[str] = []
        for delivery, name in zip(new, names, strict=True):
            if name in stored and name not in first:
                first[name] = delivery.delivery.transaction_id
                if delivery.upload:
                    uploads.append(delivery.upload)
                else:
                    body = delivery.delivery.body
                    bodies.append((delivery.delivery.transaction_id, body, proof_of(body)))
        insert_rows(self._connection, DELIVERY_BODY, bodies, ("transaction_id", "body", "body_proof"))
        received = [AuditEntry(name, "RECEIVED", "gateway", now, first[name]) for name in first]
        AuditLog(self._connection, TABLES).append(received, new_subjects=True)
        if uploads:
            self._connection.execute(update(UPLOAD).where(UPLOAD.c.id.in_(uploads)).values(kept=1))
        ids = first | self._transactions([name for name in names if name not in first])
        return [
            Receipt(name, ids[name], duplicate=ids[name] != delivery.delivery.transaction_id)
            for delivery, name in zip(new, names, strict=True)
        ]

    def claim(
        self, *, files: bool, limit: int, owner: str, now: datetime, lease_seconds: float
    ) -> list[StoredDelivery]:
        rows = claim(
            self._connection,
            DELIVERY,
            where=_FILES if files else _MESSAGES,
            order_by=[DELIVERY.c.available_at, DELIVERY.c.transaction_id],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
        )
        bodies = {} if files else self._bodies([row.transaction_id for row in rows])
        return [_stored(row, bodies.get(row.transaction_id, b""), claimed=True) for row in rows]

    def finish(self, outcomes: Sequence[DeliveryOutcome], now: datetime) -> set[str]:
        finished: list[tuple[Any, dict[str, Any]]] = []
        for outcome in outcomes:
            if outcome.retry_at is not None:
                values: dict[str, Any] = {"available_at": outcome.retry_at, "reason": outcome.reason}
            else:
                check_transition(outcome.stored.state, outcome.state)
                values = {
                    "state": outcome.state.value,
                    "reason": outcome.reason,
                    "events": "\n".join(outcome.events),
                    "waiting_events": outcome.waiting_events,
                    "schema_fingerprint": outcome.schema_fingerprint,
                }
            finished.append((held(outcome.stored.lease), values))
        kept: set[str] = finish(self._connection, DELIVERY, finished, now=now)
        done = [
            outcome
            for outcome in outcomes
            if outcome.stored.delivery.transaction_id in kept and outcome.retry_at is None
        ]
        retried = [
            outcome
            for outcome in outcomes
            if outcome.stored.delivery.transaction_id in kept
            and outcome.retry_at is not None
            and outcome.reason != outcome.stored.reason
        ]
        changed = [*done, *retried]
        self._audit(
            [(outcome.stored.delivery.name, outcome.stored.delivery.transaction_id) for outcome in changed],
            [(NOTED if outcome.retry_at else outcome.state.name, outcome.reason) for outcome in changed],
            now,
        )
        return kept

    def event_forwarded(self, counts: Mapping[str, int], now: datetime) -> None:
        left = DELIVERY.c.waiting_events
        finished: list[tuple[str, str]] = []
        for transaction_id in sorted(counts):
            count = counts[transaction_id]
            translated = in_state(DELIVERY, DeliveryState.TRANSLATED.value)
            statement = (
                update(DELIVERY)
                .where(DELIVERY.c.transaction_id == transaction_id, translated)
                .values(
                    waiting_events=case((left > count, left - count), else_=0),
                    state=case((left <= count, DeliveryState.FORWARDED.value), else_=DELIVERY.c.state),
                )
                .returning(DELIVERY.c.name, DELIVERY.c.state)
            )
            row = self._connection.execute(statement).one_or_none()
            if row and row.state == DeliveryState.FORWARDED.value:
                finished.append((row.name, transaction_id))
        self._audit(finished, [(DeliveryState.FORWARDED.name, "")] * len(finished), now)

    def set_aside(self, transaction_ids: Sequence[str], state: DeliveryState, reason: str, now: datetime) -> None:
        check_transition(DeliveryState.TRANSLATED, state)
        statement = (
            update(DELIVERY)
            .where(
                DELIVERY.c.transaction_id.in_(sorted(set(transaction_ids))),
                in_state(DELIVERY, DeliveryState.TRANSLATED.value),
            )
            .values(state=state.value, reason=reason)
            .returning(DELIVERY.c.name, DELIVERY.c.transaction_id)
        )
        rows = [(row.name, row.transaction_id) for row in self._connection.execute(statement)]
        self._audit(rows, [(state.name, reason)] * len(rows), now)

    def get(self, name: str) -> StoredDelivery:
        row = self._connection.execute(select(DELIVERY).where(DELIVERY.c.name == name)).one_or_none()
        if row is None:
            raise DeliveryUnknown("no such delivery", field="name")
        return _stored(row, b"")

    def body(self, transaction_id: str) -> bytes:
        return self._bodies([transaction_id]).get(transaction_id, b"")

    def newest(
        self,
        *,
        provider: str,
        account: str,
        state: DeliveryState | None,
        before: str,
        limit: int,
        scope: AccessScope,
    ) -> list[StoredDelivery]:
        seen = in_sources(DELIVERY.c.provider + "/" + DELIVERY.c.account, scope)
        statement = select(DELIVERY).where(seen).order_by(DELIVERY.c.transaction_id.desc()).limit(limit)
        if provider:
            statement = statement.where(DELIVERY.c.provider == provider)
        if account:
            statement = statement.where(DELIVERY.c.account == account)
        if state:
            statement = statement.where(DELIVERY.c.state == state.value)
        if before:
            statement = statement.where(DELIVERY.c.transaction_id < before)
        return [_stored(row, b"") for row in self._connection.execute(statement)]

    def requeue(self, name: str, *, request_id: str, actor: str, now: datetime) -> StoredDelivery:
        asked = {"request_id": request_id, "delivery": name, "requested_by": actor, "at": now}
        if not insert_new(self._connection, REPLAY, [asked], ["request_id"]):
            before = self._connection.scalar(select(REPLAY.c.delivery).where(REPLAY.c.request_id == request_id))
            if before != name:
                raise ReplayConflict("the request id was used for another delivery", field="request_id")
            return self.get(name)
        requested = AuditEntry(f"replays/{request_id}", "REPLAY_REQUESTED", actor, now, "")
        AuditLog(self._connection, TABLES).append([requested], new_subjects=True)
        stored = self.get(name)
        if stored.state is not DeliveryState.RECEIVED:  # one that waits already needs no push
            check_transition(stored.state, DeliveryState.RECEIVED)
            transaction_id = stored.delivery.transaction_id
            values = {"state": DeliveryState.RECEIVED.value, "reason": "", "available_at": now, "attempts": 0}
            matching = (DELIVERY.c.transaction_id == transaction_id) & in_state(DELIVERY, stored.state.value)
            self._connection.execute(update(DELIVERY).where(matching).values(values))
            self._release(transaction_id, now)
            entry = AuditEntry(name, "REPLAYED", actor, now, transaction_id)
            AuditLog(self._connection, TABLES).append([entry])
        return self.get(name)

    def last_received(self, provider: str, account: str) -> datetime | None:
        statement = (
            select(DELIVERY.c.received_at)
            .where(DELIVERY.c.provider == provider, DELIVERY.c.account == account)
            .order_by(DELIVERY.c.transaction_id.desc())
            .limit(1)
        )
        return self._connection.scalar(statement)

    def _release(self, transaction_id: str, now: datetime) -> None:
        """What came first with the delivery and was set aside: its events, and the settlements of its payouts."""
        GatewayEvents(self._connection).requeue(transaction_id, now)
        Payouts(self._connection).release(select(EVENT.c.transaction_id).where(EVENT.c.origin == transaction_id), now)

    def _transactions(self, names: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in parts(dict.fromkeys(names)):
            rows = self._connection.execute(
                select(DELIVERY.c.name, DELIVERY.c.transaction_id).where(DELIVERY.c.name.in_(part))
            )
            found.update({row.name: row.transaction_id for row in rows})
        return found

    def _bodies(self, transaction_ids: Sequence[str]) -> dict[str, bytes]:
        if not transaction_ids:
            return {}
        wanted = DELIVERY_BODY.c.transaction_id.in_(transaction_ids)
        return {
            row.transaction_id: bytes(row.body) for row in self._connection.execute(select(DELIVERY_BODY).where(wanted))
        }

    def _audit(self, subjects: Sequence[tuple[str, str]], actions: Sequence[tuple[str, str]], now: datetime) -> None:
        entries = [
            AuditEntry(name, action, "gateway", now, transaction_id, reason)
            for (name, transaction_id), (action, reason) in zip(subjects, actions, strict=True)
        ]
        if entries:
            AuditLog(self._connection, TABLES).append(entries)


def _row(new: NewDelivery, name: str, now: datetime) -> tuple[Any, ...]:
    """The values of `_NEW_COLUMNS`."""
    delivery = new.delivery
    return (
        delivery.transaction_id,
        name,
        delivery.source.provider,
        delivery.source.account,
        delivery.channel.value,
        delivery.type[:128],
        delivery.sha256,
        new.body_bytes or len(delivery.body),
        delivery.received_at,
        new.link,
        new.upload,
        new.file_name,
        "",
        "",
        "",
        0,
        DeliveryState.RECEIVED.value,
        now,
        0,
        0,
    )


def _stored(row: Row[Any], body: bytes, *, claimed: bool = False) -> StoredDelivery:
    """The company is not in the row: whose books an account feeds is the configuration's to say."""
    delivery = Delivery(
        source=Source(row.provider, row.account, ""),
        channel=Channel(row.channel),
        id=row.name.rpartition("/")[2],
        type=row.type,
        body=body,
        sha256=row.sha256,
        received_at=row.received_at,
        transaction_id=row.transaction_id,
    )
    return StoredDelivery(
        delivery=delivery,
        state=DeliveryState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        events=tuple(row.events.split("\n")) if row.events else (),
        schema_fingerprint=row.schema_fingerprint,
        link=row.link,
        body_bytes=row.body_bytes,
        upload=row.upload,
        file_name=row.file_name,
        lease=lease_of(DELIVERY, row) if claimed else None,
    )
