"""What a service can say afterwards of each transaction, and what still waits in it: alike in every service.

| module | what it holds |
|---|---|
| `reading` | the trail out of a service's tables: audit log, control totals, queues |
| `wire` | the answers of `ListTransactionSteps` and `ListControlTotals` |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from libs.access import AccessScope


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
    """What waits in one queue, and how old the oldest of it is.

    Company and interface are empty where a row is not of one alone. An empty queue has one length, of nobody, with 0.
    """

    queue: str
    depth: int
    oldest_seconds: float
    company: str = ""
    interface: str = ""


class Trail(Protocol):
    """What a service can say, within a transaction."""

    def steps(self, transaction_id: str, scope: AccessScope) -> tuple[str, list[Step]]:
        """The transaction that the id stands for, and its steps, oldest first.

        None for an unknown id, and for one of which the scope has nothing: that stands for itself, whatever it is.
        """

    def totals(self, company: str, scope: AccessScope) -> list[ControlTotal]:
        """By day, interface, currency and bucket; of the scope's sources."""

    def queues(self, now: datetime) -> list[QueueLength]:
        """What waits, for metrics; long queues are counted up to a bound."""
