"""How far a company is known and matched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a company's books are known and matched. `changes` grows with each piece of news."""

    company: str
    token: str  # the last change of the ledger that was learned
    changes: int
    matched: int  # the news that the last match pass saw
    differenced: int
    due_at: datetime | None  # when something open becomes a difference by age alone
