"""A confirmed match that Odoo is to show."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from .claim import WorkClaim


class AppliedMatchType(Enum):
    PAYOUT_TRANSACTIONS = "payout_transactions"  # a payout's clearing line against those of its transactions
    BANK_PAYOUT = "bank_payout"  # a bank line against the payout in transit
    BANK_INVOICE = "bank_invoice"  # a bank line against an open invoice, a customer's or a supplier's


class AppliedMatchState(Enum):
    PENDING = "pending"
    WRITTEN = "written"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedMatch:
    """`anchor` and `members` are postings' keys."""

    name: str
    company: str
    type: AppliedMatchType
    anchor: str
    members: tuple[str, ...]
    rule_revision: str
    traceparent: str
    applied_by: str
    created_at: datetime
    available_at: datetime
    state: AppliedMatchState = AppliedMatchState.PENDING
    parked: bool = False
    reason: str = ""
    reason_text: str = ""
    written_at: datetime | None = None
    attempts: int = 0
    claim: WorkClaim | None = field(default=None, compare=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all its postings."""
        return (self.anchor, *self.members)

    @property
    def fingerprint(self) -> str:
        """Of what a repeat must say again."""
        words = [self.name, self.type.value, self.anchor, *sorted(self.members)]
        return hashlib.sha256("\n".join(words).encode()).hexdigest()
