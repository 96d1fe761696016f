"""The two sides of a match, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from libs.money import Money

from .references import token_of

_BREAKS = str.maketrans(",;", "  ")


class TargetKind(Enum):
    """What a bank line can be the other side of."""

    PAYOUT = "payout"
    INVOICE = "invoice"


@dataclass(frozen=True, slots=True)
class BankItem:
    """A booked bank line, credit above zero, that stands on suspense."""

    posting: str  # key of its posting
    amount: Money
    day: date
    tokens: frozenset[str]  # the numbers of one target that its references and remittance information name
    contradiction: str = ""  # what else it names: no rule matches it, whatever agrees


@dataclass(frozen=True, slots=True)
class Target:
    """A payout in transit or an open customer invoice: what should arrive at the bank, and when."""

    posting: str
    kind: TargetKind
    amount: Money  # as the bank will book it: credit above zero
    day: date  # arrival or issue
    tokens: frozenset[str]
    texts: tuple[str, ...] = ()  # its numbers and traces as they are written


def tokens_of(texts: Iterable[str]) -> frozenset[str]:
    """Words by which two systems may mean the same: upper case, letters and digits only, a digit among them.

    `INV/2026/00001` and `inv-2026-00001` give the same token. Words without a digit or shorter than four
    characters say nothing about which document is meant.
    """
    words = (word for text in texts for word in text.translate(_BREAKS).split())
    return frozenset(filter(None, map(token_of, words)))
