"""A payout with the balance transactions that it pays out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from libs.money import Money


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """`net` = `gross` - `fee`, all signed as the provider signs them."""

    balance_transaction: str
    gross: Money
    fee: Money
    net: Money


@dataclass(frozen=True, slots=True)
class Settlement:
    """`amount` is what arrives at the bank, positive for a payout."""

    company: str
    interface: str  # `{provider}/{account}`
    payout_id: str
    payout_transaction: str  # the payout's own balance transaction; empty if unknown
    amount: Money
    arrival_date: date | None
    lines: tuple[SettlementLine, ...]
    bank_references: tuple[str, ...] = ()

    @property
    def ties(self) -> bool:
        """True if the lines' net adds up to the payout."""
        return bool(self.lines) and Money.totals(line.net for line in self.lines) == [self.amount]
