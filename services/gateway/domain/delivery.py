"""What a partner sent or a poll fetched, and the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .errors import DeliveryStateInvalid


class State(Enum):
    RECEIVED = "received"
    TRANSLATED = "translated"
    FORWARDED = "forwarded"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    PARKED = "parked"


# A replay takes a delivery back to RECEIVED; nothing else goes backwards.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.TRANSLATED, State.FORWARDED, State.IGNORED, State.QUARANTINED, State.PARKED}),
    State.TRANSLATED: frozenset({State.FORWARDED, State.QUARANTINED, State.PARKED, State.RECEIVED}),
    State.FORWARDED: frozenset({State.RECEIVED}),
    State.IGNORED: frozenset({State.RECEIVED}),
    State.QUARANTINED: frozenset({State.RECEIVED}),
    State.PARKED: frozenset({State.RECEIVED}),
}


def check_transition(old: State, new: State) -> None:
    """Raise `DeliveryStateInvalid` unless the table has it."""
    if new not in TRANSITIONS[old]:
        raise DeliveryStateInvalid(f"a delivery cannot go from {old.value} to {new.value}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a sender: the same for the same delivery, however often it comes."""

    delivery: str
    transaction_id: str
    duplicate: bool
