"""What the ledger tells of its part of the walk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from libs.events import Event

from .posting import Posting


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done for a transaction. No amounts, no personal data."""

    at: datetime
    step: str  # a stable word, for example `recorded`, `posted`
    resource: str
    state: str = ""
    detail: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ControlTotal:
    """One bucket of the completeness equation; see `libs.storage.totals`."""

    interface: str
    company: str
    currency: str
    day: date  # effective, UTC
    bucket: str
    count: int
    minor_units: int
    names_hash: str


@dataclass(frozen=True, slots=True)
class QueueLength:
    """What waits in one queue for a company and, where a row is of one alone, an interface; how old the oldest is.

    An empty queue has one of nobody's, with 0.
    """

    queue: str
    depth: int
    oldest_seconds: float
    company: str = ""
    interface: str = ""


@dataclass(frozen=True, slots=True)
class PostingChange:
    """A posting after one of its changes, with the event behind it. `number` orders all changes of the ledger.

    State, reasons and Odoo's answers are those of the change; document and digest those of now.
    """

    number: int
    posting: Posting
    event: Event
