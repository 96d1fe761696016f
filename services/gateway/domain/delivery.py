"""What a partner sent or a poll fetched: how it comes in, how the inbox holds it, the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.service.work import Lease
from providers.base import Delivery

from .errors import DeliveryStateInvalid


class DeliveryState(Enum):
    RECEIVED = "received"
    TRANSLATED = "translated"
    FORWARDED = "forwarded"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    PARKED = "parked"

    @property
    def is_set_aside(self) -> bool:
        """A person must look."""
        return self in (DeliveryState.QUARANTINED, DeliveryState.PARKED)


# A replay takes a delivery back to RECEIVED; nothing else goes backwards.
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.RECEIVED: frozenset(DeliveryState) - {DeliveryState.RECEIVED},
    DeliveryState.TRANSLATED: frozenset(DeliveryState) - {DeliveryState.TRANSLATED, DeliveryState.IGNORED},
    DeliveryState.FORWARDED: frozenset({DeliveryState.RECEIVED}),
    DeliveryState.IGNORED: frozenset({DeliveryState.RECEIVED}),
    DeliveryState.QUARANTINED: frozenset({DeliveryState.RECEIVED}),
    DeliveryState.PARKED: frozenset({DeliveryState.RECEIVED}),
}


def check_transition(old: DeliveryState, new: DeliveryState) -> None:
    """Raise `DeliveryStateInvalid` unless the table has it."""
    if new not in TRANSITIONS[old]:
        raise DeliveryStateInvalid(f"a delivery cannot go from {old.value} to {new.value}")


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """Something to keep: its bytes, or the upload that holds them."""

    delivery: Delivery
    link: str = ""
    upload: str = ""
    body_bytes: int = 0  # of an upload
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a sender: the same for the same delivery, however often it comes."""

    delivery: str
    transaction_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery as the inbox holds it."""

    delivery: Delivery
    state: DeliveryState
    reason: str = ""
    attempts: int = 0
    events: tuple[str, ...] = ()
    schema_fingerprint: str = ""
    link: str = ""  # the partner's own traceparent
    body_bytes: int = 0
    upload: str = ""
    file_name: str = ""
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What became of a claimed delivery. With `retry_at` it stays as it is and waits until then."""

    stored: StoredDelivery
    state: DeliveryState
    reason: str = ""
    events: tuple[str, ...] = ()
    waiting_events: int = 0
    schema_fingerprint: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file's header for recon."""

    company: str
    interface: str
    delivery: str
    file_name: str
    sha256: str
    received_at: datetime
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sample of what was refused: enough to see why, never enough to act on."""

    provider: str
    account: str
    reason: str
    sha256: str
    body_bytes: int
    head: bytes
