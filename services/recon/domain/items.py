"""The two sides of a match, as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from libs.money import Money

_SPLIT = re.compile(r"[\s,;]+")
_DROPPED = re.compile(r"[^A-Z0-9]")
_SHORTEST_TOKEN = 4


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
    tokens: frozenset[str]  # of its references and remittance information


@dataclass(frozen=True, slots=True)
class Target:
    """A payout in transit or an open customer invoice: what should arrive at the bank, and when."""

    posting: str
    kind: TargetKind
    amount: Money  # as the bank will book it: credit above zero
    day: date  # arrival or issue
    tokens: frozenset[str]


def tokens_of(texts: Iterable[str]) -> frozenset[str]:
    """Words by which two systems may mean the same: upper case, letters and digits only, a digit among them.

    `INV/2026/00001` and `inv-2026-00001` give the same token. Words without a digit or shorter than four
    characters say nothing about which document is meant.
    """
    words = (_DROPPED.sub("", word) for text in texts for word in _SPLIT.split(text.upper()))
    return frozenset(word for word in words if len(word) >= _SHORTEST_TOKEN and any(c.isdigit() for c in word))
