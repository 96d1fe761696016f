"""Events as the ledger keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from libs.access import AccessScope
from libs.events import Digest, Event

from .claim import WorkClaim


class BuildState(Enum):
    RECORDED = "recorded"
    BUILT = "built"
    NO_EFFECT = "no_effect"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the ledger keeps it, and the keys of its postings once they exist."""

    event: Event
    state: BuildState
    digest: Digest
    recorded_by: str
    traceparent: str
    duplicate: bool = False
    postings: tuple[str, ...] = ()
    mapping_revision: int | None = None
    hold_until: datetime | None = None
    attempts: int = 0
    claim: WorkClaim | None = field(default=None, compare=False)

    def again(self, at: datetime) -> BuiltEvent:
        """To be built again at that instant, as if it had not been taken up; the attempt counts."""
        return BuiltEvent(self, self.state, at, self.mapping_revision, self.hold_until, keep_attempts=True)


@dataclass(frozen=True, slots=True)
class Recording:
    """One event to record, who brings it, and the trace context that it came with."""

    event: Event  # with the transaction id that it gets if it proves new
    requested_transaction_id: str  # the one that the caller named; may be empty
    scope: AccessScope  # the caller's
    digest: Digest
    recorded_by: str
    traceparent: str
    state: BuildState
    build_due: bool


@dataclass(frozen=True, slots=True)
class BuiltEvent:
    """What building made of an event (`event.claim` guards it)."""

    event: RecordedEvent
    state: BuildState
    due_at: datetime | None  # when to build again; None: done
    mapping_revision: int | None
    hold_until: datetime | None = None
    keep_attempts: bool = False
