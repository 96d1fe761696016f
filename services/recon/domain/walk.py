"""What recon tells of its part of the walk, and who holds a claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.events import Event, digest_of, event_to_json


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to change one row until it runs out; storage alone looks inside."""

    fence: int
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as it is stored, made before the transaction that stores it: that one keeps other writers waiting."""

    name: str
    company: str
    transaction_id: str
    origin: str
    digest: str
    payload: str  # libs.events.event_to_json

    @classmethod
    def of(cls, event: Event, origin: str) -> NewEvent:
        payload = event_to_json(event)
        return cls(event.name, event.company, event.transaction_id, origin, digest_of(event), payload)


@dataclass(frozen=True, slots=True)
class OutboundEvent:
    """An event on its way to the ledger. `origin` is the transaction of the file that first told of it."""

    event: Event
    digest: str
    origin: str
    attempts: int = 0
    reason: str = ""
    counted: bool = False
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """What became of a claimed event: recorded, refused or parked. With `retry_at` it waits until then."""

    stored: OutboundEvent
    state: str
    reason: str = ""
    count: bool = False  # it was handed on by us, for the first time
    alias_of: str = ""  # the transaction id that the ledger knew it by
    retry_at: datetime | None = None
