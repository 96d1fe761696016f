"""The two sides of a match, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from libs.money import Money

from .references import token_of

_BREAKS = str.maketrans(",;", "  ")
_SHORTEST_NAME = 3
# Words of names that say nothing about whose name it is.
_LEGAL_FORMS = frozenset({"AND", "THE", "UND", "COMPANY", "CORP", "GMBH", "INC", "LIMITED", "LLC", "LTD"})


class TargetKind(Enum):
    """What a bank line can be the other side of."""

    PAYOUT = "payout"
    INVOICE = "invoice"
    BILL = "bill"


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
    """A payout in transit or an open invoice of either side: what should come to the bank or leave it, and when."""

    posting: str
    kind: TargetKind
    amount: Money  # as the bank will book it: credit above zero
    day: date  # arrival or issue
    tokens: frozenset[str]
    texts: tuple[str, ...] = ()  # its numbers and traces as they are written
    supplier: frozenset[str] = frozenset()  # words of whose bill it is; a line that has none of them pays another one's


def tokens_of(texts: Iterable[str]) -> frozenset[str]:
    """Words by which two systems may mean the same: upper case, letters and digits only, a digit among them.

    `INV/2026/00001` and `inv-2026-00001` give the same token. Words without a digit or shorter than four
    characters say nothing about which document is meant.
    """
    words = (word for text in texts for word in text.translate(_BREAKS).split())
    return frozenset(filter(None, map(token_of, words)))


def names_of(texts: Iterable[str]) -> frozenset[str]:
    """Words of names: letters alone, three at least, without legal forms."""
    words = (word.strip(".()&-") for text in texts for word in text.upper().translate(_BREAKS).split())
    return frozenset(word for word in words if len(word) >= _SHORTEST_NAME and word.isalpha()) - _LEGAL_FORMS
