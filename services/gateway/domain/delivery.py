"""What a partner sent or a poll fetched, and the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.events import Channel, Event, Provenance

from .errors import DeliveryStateInvalid
from .source import Source


class State(Enum):
    RECEIVED = "RECEIVED"
    TRANSLATED = "TRANSLATED"
    FORWARDED = "FORWARDED"
    IGNORED = "IGNORED"
    QUARANTINED = "QUARANTINED"
    PARKED = "PARKED"


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
class Delivery:
    """The stored bytes and what is known of them. `type` is a claim unless the signed bytes say it."""

    source: Source
    channel: Channel
    id: str  # from the signed bytes: the provider's own id, else the body's digest
    type: str
    body: bytes
    sha256: str
    received_at: datetime
    transaction_id: str

    @property
    def name(self) -> str:
        return delivery_name(self.source, self.id)

    def provenance(self, translator: str, object_type: str, object_id: str, **more: str) -> Provenance:
        """Where an event that this delivery tells of came from."""
        return Provenance(
            source_system=self.source.provider,
            source_account=self.source.account,
            source_object_type=object_type,
            source_id=object_id,
            received_at=self.received_at,
            channel=self.channel,
            delivery=self.name,
            raw_sha256=self.sha256,
            translator=translator,
            **more,
        )


def delivery_name(source: Source, delivery_id: str) -> str:
    return f"{source.name}/deliveries/{delivery_id}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a delivery that could not be understood: a stable reason, and where."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Translation:
    """What a delivery tells. Without events it says why it is ignored, or has problems.

    A problem quarantines the delivery; the events beside it are sound and go on.
    """

    events: tuple[Event, ...] = ()
    ignored: str = ""
    problems: tuple[Problem, ...] = ()
    wakes_poll: bool = False
    payouts: tuple[str, ...] = ()  # payouts whose composition can be asked for


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a sender: the same for the same delivery, however often it comes."""

    delivery: str
    transaction_id: str
    duplicate: bool
