"""Differences with their owners, and the only ways between their states."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any

from libs.errors.review import TransitionForbidden
from libs.money import Money

from .names import difference_name


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why there should be a difference. `nearest` is the best candidate and `nearest_lacks` what it misses."""

    subject: str  # key of a posting; or name of a settlement, statement, event or doubt
    transaction_id: str
    reason: str
    message: str
    amount: Money
    nearest: str = ""
    nearest_lacks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Cause):
    """Something without a counterpart, or in doubt, with an owner."""

    name: str
    state: DifferenceState
    created_at: datetime
    updated_at: datetime
    owner: str = "finance"
    version: int = 1
    proposed_by: str = ""  # whoever would write it off
    why: str = ""
    decided_by: str = ""  # whoever resolved or wrote it off; empty where a worker did

    @classmethod
    def open(cls, company: str, cause: Cause, now: datetime) -> Difference:
        name = difference_name(company, cause.subject)
        return cls(**_values(cause), name=name, state=DifferenceState.OPEN, created_at=now, updated_at=now)

    def caused_by(self, cause: Cause, now: datetime) -> Difference:
        """As it should be for its cause as that is now; itself where nothing changed. What was resolved is open again.

        What people decided holds for one reason and amount alone.
        """
        state = DifferenceState.OPEN if self.state is DifferenceState.RESOLVED else self.state
        after = replace(self, **_values(cause) | {"transaction_id": self.transaction_id, "state": state})
        if (after.state, after.reason, after.amount) != (self.state, self.reason, self.amount):
            after = after.undecided()
        return self if after == self else after.changed(now)

    def changed(self, now: datetime, **values: Any) -> Difference:
        """The next version, with other values."""
        return replace(self, **values, updated_at=now, version=self.version + 1)

    def undecided(self) -> Difference:
        """Without what was proposed and decided: it held for another content."""
        return replace(self, proposed_by="", why="", decided_by="")


def _values(cause: Cause) -> dict[str, Any]:
    return {field.name: getattr(cause, field.name) for field in fields(Cause)}
