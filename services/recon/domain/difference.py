"""Differences with their owners, and the only ways between their states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from libs.errors.review import TransitionForbidden
from libs.money import Money


class DifferenceState(Enum):
    OPEN = "open"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    WRITTEN_OFF = "written_off"


DIFFERENCE_TRANSITIONS: dict[DifferenceState, frozenset[DifferenceState]] = {
    DifferenceState.OPEN: frozenset({DifferenceState.ASSIGNED, DifferenceState.RESOLVED}),
    DifferenceState.ASSIGNED: frozenset(
        {DifferenceState.ASSIGNED, DifferenceState.RESOLVED, DifferenceState.WRITTEN_OFF}
    ),
    DifferenceState.RESOLVED: frozenset({DifferenceState.OPEN}),  # what resolved it was undone
    DifferenceState.WRITTEN_OFF: frozenset(),
}


def check_difference(old: DifferenceState, new: DifferenceState) -> None:
    """Raise `TransitionForbidden` unless the table has this change."""
    if new not in DIFFERENCE_TRANSITIONS[old]:
        raise TransitionForbidden(f"a difference cannot go from {old.value} to {new.value}")


@dataclass(frozen=True, slots=True)
class Difference:
    """Something without a counterpart. `nearest` is the best candidate and `nearest_lacks` what it misses."""

    name: str
    state: DifferenceState
    subject: str  # key of a posting, or a settlement's name
    transaction_id: str
    reason: str
    message: str
    amount: Money
    created_at: datetime
    updated_at: datetime
    nearest: str = ""
    nearest_lacks: str = ""
    owner: str = "finance"
    version: int = 1
    proposed_by: str = ""  # whoever would write it off
    why: str = ""
    decided_by: str = ""  # whoever resolved or wrote it off; empty where a worker did

    def undecided(self) -> Difference:
        """Without what was proposed and decided: it held for another content."""
        return replace(self, proposed_by="", why="", decided_by="")
