"""Messages that leave with the commit they tell of.

A message is a row of the same transaction. Readers follow the sealed numbers, never row ids: see `libs.storage.sealer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

from sqlalchemy import Connection, func, select

from libs.errors import ConcordError, Kind
from libs.errors.retry import backoff
from libs.service.work import WorkContext

from .leases import Lease, claim, ensure_kept, finish, in_state, lease_of
from .rows import insert_new, insert_rows
from .scoping import begins_with
from .tables import SystemTables
from .uow import UnitOfWork

READING = "reading"


class PublishFailed(ConcordError):
    """The receiver did not take every message. All are sent again; receivers know repeats by the message's id."""

    kind: ClassVar[Kind] = Kind.RETRY
    reason: ClassVar[str] = "PUBLISH_FAILED"


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell. `headers` carry the trace context."""

    id: str
    topic: str
    key: str  # messages of one key are handed on in order
    transaction_id: str
    payload: bytes
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedMessage:
    """A message with its place in the service's order: the resume token of whoever has read it."""

    number: int
    message: Message


class Publisher(Protocol):
    """Hands messages to a broker."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Return once all are durable there, those of a key in their order; else raise `PublishFailed`."""


class Outbox:
    """The outbox of a service, within a transaction."""

    def __init__(self, connection: Connection, tables: SystemTables) -> None:
        self._connection = connection
        self._table = tables.outbox

    def add(self, messages: Sequence[Message]) -> None:
        """Store the messages with whatever else this transaction does."""
        rows = [
            {
                "id": message.id,
                "topic": message.topic,
                "key": message.key,
                "transaction_id": message.transaction_id,
                "headers": json.dumps(dict(message.headers), sort_keys=True),
                "payload": message.payload,
                "at": message.at,
            }
            for message in messages
        ]
        insert_rows(self._connection, self._table, rows)

    def read_after(
        self, number: int, limit: int, *, topics: Sequence[str] = (), beginnings: Sequence[str] | None = None
    ) -> list[SealedMessage]:
        """The next messages after a sealed number (0: from the start), in order; of the given topics, if any, and of
        keys that begin with one of `beginnings`, if there are any such."""
        columns = self._table.c
        statement = select(self._table).where(columns.sealed_number > number)
        if topics:
            statement = statement.where(columns.topic.in_(topics))
        if beginnings is not None:
            statement = statement.where(begins_with(columns.key, beginnings))
        rows = self._connection.execute(statement.order_by(columns.sealed_number).limit(limit))
        return [_sealed(row) for row in rows]

    def last_number(self) -> int:
        """The highest sealed number; 0 if there is none."""
        return int(self._connection.scalar(select(func.max(self._table.c.sealed_number))) or 0)


class Relay:
    """Hands sealed messages to a publisher, one process at a time, at least once, from where it stopped."""

    def __init__(
        self,
        new_uow: Callable[[], UnitOfWork],
        tables: SystemTables,
        publisher: Publisher,
        work: WorkContext,
        *,
        reader: str = "relay",
        batch: int = 200,
        lease_seconds: float = 60.0,
    ) -> None:
        self._new_uow = new_uow
        self._tables = tables
        self._publisher = publisher
        self._work = work
        self._reader = reader
        self._batch = batch
        self._lease_seconds = lease_seconds
        self._registered = False
        self._waiting = (tables.outbox_reader.c.id == reader) & in_state(tables.outbox_reader, READING)

    def run_once(self) -> int:
        """Publish the next batch. Returns its size; 0 also while another process relays or a failure is waited out.

        Raises `LeaseLost` if the publisher took longer than the lease; the batch will be sent again.
        """
        if not self._registered:
            self._register()
        with self._new_uow() as uow:
            taken = self._claim(uow.connection)
            messages = Outbox(uow.connection, self._tables).read_after(taken[1], self._batch) if taken else []
            if taken and messages:
                uow.commit()
        if not taken or not messages:
            return 0  # nothing was committed, so the lease is not taken either
        lease, attempts = taken[0], taken[2]
        try:
            self._publisher.publish([each.message for each in messages])
        except PublishFailed:
            wait = timedelta(seconds=backoff(attempts, self._work.rng, 1.0, 60.0))
            self._finish(lease, {"available_at": self._work.clock() + wait})
            return 0
        self._finish(lease, {"sealed_number": messages[-1].number, "attempts": 0})
        return len(messages)

    def _register(self) -> None:
        row = {
            "id": self._reader,
            "sealed_number": 0,
            "state": READING,
            "available_at": self._work.clock(),
            "fence": 0,
            "attempts": 0,
        }
        with self._new_uow() as uow:
            insert_new(uow.connection, self._tables.outbox_reader, [row], ["id"])
            uow.commit()
        self._registered = True

    def _claim(self, connection: Connection) -> tuple[Lease, int, int] | None:
        table, now = self._tables.outbox_reader, self._work.clock()
        rows = claim(
            connection,
            table,
            where=self._waiting,
            order_by=[table.c.id],
            limit=1,
            owner=self._work.owner,
            now=now,
            lease_seconds=self._lease_seconds,
        )
        return (lease_of(table, rows[0]), rows[0].sealed_number, rows[0].attempts) if rows else None

    def _finish(self, lease: Lease, values: Mapping[str, Any]) -> None:
        with self._new_uow() as uow:
            kept = finish(uow.connection, self._tables.outbox_reader, [(lease, values)], now=self._work.clock())
            ensure_kept([lease], kept)
            uow.commit()


def _sealed(row: Any) -> SealedMessage:
    headers = json.loads(row.headers)
    message = Message(row.id, row.topic, row.key, row.transaction_id, bytes(row.payload), row.at, headers)
    return SealedMessage(row.sealed_number, message)
