"""What recon tells of its part of the walk, and who holds a claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from libs.events import Event, digest_of, event_to_json

from .match import Match, MatchState


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to change one row until it runs out; storage alone looks inside."""

    fence: int
    owner: str
    until: datetime


class NewEvent(NamedTuple):
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
class OutboundMatch:
    """A confirmed match on its way to Odoo."""

    match: Match
    company: str
    traceparent: str
    attempts: int
    claim: Claim


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a company's books are known and matched. `changes` grows with each piece of news."""

    company: str
    token: str  # the last change of the ledger that was learned
    changes: int
    matched: int  # the news that the last match pass saw
    differenced: int
    due_at: datetime | None  # when something open becomes a difference by age alone
    match_due_at: datetime | None  # when something open may be matched by age alone


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """What became of a claimed event: recorded, refused or parked. With `retry_at` it waits until then."""

    stored: OutboundEvent
    state: str
    reason: str = ""
    count: bool = False  # it was handed on by us, for the first time
    alias_of: str = ""  # the transaction id that the ledger knew it by
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """What became of a claimed match. With `retry_at` it is asked for again then."""

    stored: OutboundMatch
    state: MatchState
    reason: str = ""
    written_at: datetime | None = None
    retry_at: datetime | None = None
    fresh_budget: bool = False
