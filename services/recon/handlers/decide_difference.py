"""What people decide of a difference: that a doubt is resolved, or that nothing more is looked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from libs.access import EVERYTHING, AccessScope
from libs.errors.people import is_same_person
from libs.errors.review import ApproverIsMaker, TransitionForbidden
from libs.events import Clock
from libs.storage.requests import Request

from ..domain.difference import Difference, DifferenceState, check_difference
from ..domain.doubts import is_doubt
from ..domain.errors import (
    DifferenceChanged,
    DifferenceWatched,
    WriteOffNotProposed,
)
from ..storage.uow import NewUow


class Decision(Enum):
    RESOLVE = "resolve"
    PROPOSE_WRITE_OFF = "propose_write_off"
    APPROVE_WRITE_OFF = "approve_write_off"
    REJECT_WRITE_OFF = "reject_write_off"


@dataclass(frozen=True, slots=True)
class DecideDifference:
    """`version` is the one that was read: what is decided holds for that content alone."""

    decision: Decision
    company: str
    name: str
    version: str
    request_id: str
    actor: str
    why: str = ""
    scope: AccessScope = EVERYTHING


def decide_difference(command: DecideDifference, new_uow: NewUow, clock: Clock) -> Difference:
    """The difference as it is then; a repeat gets the first answer. Nothing is booked.

    Raises `DifferenceUnknown`, `DifferenceChanged`, `TransitionForbidden`, `DifferenceWatched`, `WriteOffNotProposed`,
    `ApproverIsMaker`, `RequestIdReused`.
    """
    now = clock()
    content = (command.decision.value, command.name, command.version, command.actor, command.why)
    request = Request(command.request_id, *content)
    with new_uow() as uow:
        before = uow.differences.get(command.name, command.scope)
        if first := uow.requests.begin(request, Difference, now):
            return first
        if command.version != str(before.version):
            raise DifferenceChanged("the difference was changed since it was read", field="etag")
        after = replace(_DECIDED[command.decision](before, command), updated_at=now, version=before.version + 1)
        uow.differences.save(command.company, [(before, after)], command.actor)
        uow.requests.answer(request, after)
        uow.commit()
    return after


def _resolved(before: Difference, command: DecideDifference) -> Difference:
    check_difference(before.state, DifferenceState.RESOLVED)
    if not is_doubt(before.subject):
        raise DifferenceWatched("it is resolved once its counterpart is found, or written off")
    resolved = replace(before.undecided(), state=DifferenceState.RESOLVED)
    return replace(resolved, why=command.why, decided_by=command.actor)


def _proposed(before: Difference, command: DecideDifference) -> Difference:
    check_difference(before.state, DifferenceState.WRITTEN_OFF)
    if before.proposed_by:
        raise TransitionForbidden("it is proposed already")
    return replace(before, proposed_by=command.actor, why=command.why)


def _written_off(before: Difference, command: DecideDifference) -> Difference:
    check_difference(before.state, DifferenceState.WRITTEN_OFF)
    if not before.proposed_by:
        raise WriteOffNotProposed("nobody proposed to write it off")
    if is_same_person(before.proposed_by, command.actor):
        raise ApproverIsMaker("whoever proposed it may not approve it")
    return replace(before, state=DifferenceState.WRITTEN_OFF, decided_by=command.actor)


def _rejected(before: Difference, command: DecideDifference) -> Difference:
    check_difference(before.state, DifferenceState.WRITTEN_OFF)
    if not before.proposed_by:
        raise WriteOffNotProposed("nobody proposed to write it off")
    return replace(before, proposed_by="", why=command.why)


_DECIDED = {
    Decision.RESOLVE: _resolved,
    Decision.PROPOSE_WRITE_OFF: _proposed,
    Decision.APPROVE_WRITE_OFF: _written_off,
    Decision.REJECT_WRITE_OFF: _rejected,
}
