"""Bank statements as they were imported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BankStatement:
    """A bank statement. Amounts are None where the file does not say."""

    name: str
    company: str
    statement_id: str
    bank_account: str
    currency: str
    opening: Money | None
    closing: Money | None
    credit_sum: Money | None
    debit_sum: Money | None
    lines: int
    ties: bool | None  # None where the file does not say both balances
    imported_at: datetime
    transaction_id: str

    @property
    def gap(self) -> Money | None:
        """Closing balance less what opening balance and lines give; None where the file does not say."""
        if self.opening is None or self.closing is None or self.credit_sum is None or self.debit_sum is None:
            return None
        return self.closing - self.opening - self.credit_sum + self.debit_sum


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """A booked line of a statement: where it stands, and the event that it is."""

    statement: str
    sequence: int
    event: str
