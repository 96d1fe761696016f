"""The hand-over of stored events to the ledger: the same in every service that has some.

| module | what it holds |
|---|---|
| `store` | the table of events on their way, which is the queue |
| `worker` | hands them on, by the batch, until the ledger has answered for each |
| `client` | the ledger, by its stub |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from libs.events import Digest, Event, event_from_json, event_to_json
from libs.service.work import Lease

REASON_CHARACTERS = 64  # that the tables hold


class EventState(Enum):
    WAITING = "waiting"  # to be handed on, or handed on again
    RECORDED = "recorded"  # the ledger has it
    REFUSED = "refused"  # the ledger will not have it: a person must look
    PARKED = "parked"  # technical budget spent

    @property
    def is_set_aside(self) -> bool:
        return self in (EventState.REFUSED, EventState.PARKED)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as it is stored, made before the transaction that stores it: that one keeps other writers waiting."""

    name: str
    company: str
    transaction_id: str
    origin: str  # the transaction that brought it: a delivery's, a file's
    digest: Digest
    payload: str  # libs.events.event_to_json

    @classmethod
    def of(cls, event: Event, origin: str) -> NewEvent:
        payload = event_to_json(event)
        return cls(event.name, event.company, event.transaction_id, origin, Digest.of(event), payload)

    def has(self, stored: Digest) -> bool:
        """Whether it has the content that a stored digest, perhaps of another version, is of."""
        if stored.version == self.digest.version:
            return stored == self.digest
        return stored.fits(event_from_json(self.payload))


@dataclass(frozen=True, slots=True)
class OutboundEvent:
    """An event on its way to the ledger. `origin` is the transaction that first brought it."""

    event: Event
    digest: Digest
    origin: str
    state: EventState = EventState.WAITING
    reason: str = ""
    attempts: int = 0
    counted: bool = False  # in the control totals
    lease: Lease | None = None

    @property
    def name(self) -> str:
        return self.event.name


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """What became of a claimed event. With `retry_at` it keeps waiting until then."""

    stored: OutboundEvent
    state: EventState
    reason: str = ""
    count: bool = False  # it was handed on by us, for the first time
    alias_of: str = ""  # the transaction id that the ledger knew it by
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The ledger has the event, under this transaction id; `duplicate` if it had it before."""

    transaction_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """The ledger will not have the event; `retry` if it may later."""

    reason: str
    retry: bool


class EventLedger(Protocol):
    """Where events are recorded. Raises a `ConcordError` if nothing is known of the whole call."""

    def record(self, events: Sequence[Event]) -> list[Recorded | NotRecorded]:
        """An answer an event, in order. Safe to repeat: an event is known by its name and digest."""
