"""A delivery in the inbox, a payout on its way to recon, and how far a source is polled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.events import Settlement
from libs.service.work import Lease
from providers.base import Delivery

from .delivery import State


class PayoutState(Enum):
    WAITING = "waiting"  # its composition is to be fetched
    COMPOSED = "composed"  # to be handed to recon
    FORWARDED = "forwarded"
    REFUSED = "refused"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery as the inbox holds it."""

    delivery: Delivery
    state: State
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
class StoredPayout:
    """A payout whose composition is fetched, then handed on."""

    provider: str
    account: str
    payout_id: str
    transaction_id: str  # of the payout's own event
    state: PayoutState
    attempts: int = 0
    delivery: str = ""  # the name of the stored payout object
    settlement: Settlement | None = None
    lease: Lease | None = None

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.account}/{self.payout_id}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source's poll has come.

    A window is open while its pages are fetched: it begins at `since`, `after` is the last id seen, `newest` the newest
    movement. Closed, `position` is the newest movement that is known for certain, and `since` is where the next deep
    window begins, before it.
    """

    source: str  # `{provider}/{account}`
    position: int  # Unix seconds
    since: int
    after: str
    newest: int
    wakes: int
    polled_at: datetime | None = None
    attempts: int = 0
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sample of what was refused: enough to see why, never enough to act on."""

    provider: str
    account: str
    reason: str
    sha256: str
    body_bytes: int
    head: bytes
