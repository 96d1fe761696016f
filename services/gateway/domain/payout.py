"""A payout on its way to recon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.events import Settlement
from libs.service.work import Lease


class PayoutState(Enum):
    WAITING = "waiting"  # its composition is to be fetched
    COMPOSED = "composed"  # to be handed to recon
    FORWARDED = "forwarded"
    REFUSED = "refused"
    PARKED = "parked"


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
class PayoutOutcome:
    """What became of a claimed payout. With `retry_at` it stays as it is and waits until then."""

    stored: StoredPayout
    state: PayoutState
    reason: str = ""
    retry_at: datetime | None = None
