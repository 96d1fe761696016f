"""Give a difference an owner."""

from __future__ import annotations

from dataclasses import dataclass

from libs.access import EVERYTHING, AccessScope
from libs.events import Clock

from ..domain.difference import Difference, DifferenceState, check_difference
from ..domain.errors import DifferenceChanged
from ..storage.uow import NewUow


@dataclass(frozen=True, slots=True)
class AssignDifference:
    """`version` is the one that was read."""

    company: str
    name: str
    owner: str
    version: str
    actor: str
    scope: AccessScope = EVERYTHING


def assign_difference(command: AssignDifference, new_uow: NewUow, clock: Clock) -> Difference:
    """The difference with its new owner.

    Raises `DifferenceUnknown`, `DifferenceChanged` (read it again), `TransitionForbidden` (it is resolved).
    """
    with new_uow() as uow:
        before = uow.differences.get(command.name, command.scope)
        if command.version != str(before.version):
            raise DifferenceChanged("the difference was changed since it was read", field="etag")
        check_difference(before.state, DifferenceState.ASSIGNED)
        after = before.changed(clock(), state=DifferenceState.ASSIGNED, owner=command.owner)
        uow.differences.save(command.company, [(before, after)], command.actor)
        uow.commit()
    return after
