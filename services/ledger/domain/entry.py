"""A balanced set of lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from libs.money import Money

from .errors import Unbalanced
from .master import PostingAccount, PostingParty
from .role import Role


@dataclass(frozen=True, slots=True)
class Line:
    """Debit above zero, credit below."""

    role: Role
    account: PostingAccount
    amount: Money  # transaction currency
    balance: Money  # company currency
    label: str = ""
    party: PostingParty | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines that balance in company currency, and in each transaction currency unless the entry converts.

    One that does not balance cannot exist: `Unbalanced`.
    """

    effect: str
    lines: tuple[Line, ...]
    converts: bool = False

    def __post_init__(self) -> None:
        _check(self.effect, (line.balance for line in self.lines))
        if not self.converts:
            _check(self.effect, (line.amount for line in self.lines))

    def mirrored(self) -> Entry:
        """The same lines with their sides swapped."""
        lines = (replace(line, amount=-line.amount, balance=-line.balance) for line in self.lines)
        return Entry(self.effect, tuple(lines), self.converts)


def _check(effect: str, amounts: Iterable[Money]) -> None:
    for total in Money.totals(amounts):
        if total:
            raise Unbalanced(effect, total.currency)
