"""A payout against the balance transactions that it pays out: one to many, gross to net."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .learning import Item
from .settlement import StoredSettlement


@dataclass(frozen=True, slots=True)
class Composed:
    """Every line is posted and open, and together they are the payout to the cent."""

    payout: Item
    members: tuple[Item, ...]

    def items(self) -> tuple[Item, ...]:
        return (self.payout, *self.members)


@dataclass(frozen=True, slots=True)
class Closed:
    """The payout's clearing line is closed already."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Why it is not composed, for people, and the first balance transaction that is missing."""

    lacks: str
    message: str
    missing: str = ""


def compose(
    stored: StoredSettlement, payout: Item | None, items: Mapping[str, Sequence[Item]]
) -> Composed | Closed | Incomplete:
    """What a settlement's lines are in the books; `items` by balance transaction."""
    settlement = stored.settlement
    if not settlement.lines:
        return Incomplete("lines", "the provider has not said what the payout pays")
    if stored.stated and not settlement.ties:
        return Incomplete("amount", "the lines do not add up to the payout")
    if payout is None:
        return Incomplete("payout", "the payout's own transaction is not posted")
    if not payout.clearing_open:
        return Closed()
    if sum(line.net.minor_units for line in settlement.lines) != -payout.clearing_units:
        return Incomplete("amount", "the lines do not add up to the payout as it is posted")
    members: list[Item] = []
    for line in settlement.lines:
        found = sorted(items.get(line.balance_transaction, ()), key=lambda item: item.posting)
        on_clearing = [item for item in found if item.clearing_units]
        expected = bool(line.gross) + bool(line.fee)
        if len(on_clearing) != expected or sum(item.clearing_units for item in on_clearing) != line.net.minor_units:
            return Incomplete("transaction", "a transaction of the payout is not posted", line.balance_transaction)
        if not all(item.clearing_open for item in on_clearing):
            message = "the clearing of a transaction of the payout was closed against something else"
            return Incomplete("clearing", message, line.balance_transaction)
        members += on_clearing
    return Composed(payout, tuple(members)) if members else Incomplete("lines", "the payout pays nothing")


def claimed_once(found: Sequence[Composed], taken: Collection[str]) -> list[Composed | Incomplete]:
    """The same in order, but for payouts that claim what another one claims or has got: a person decides between them.

    `taken` are keys of postings whose clearing line is in a match.
    """
    claims = Counter(item.posting for composed in found for item in composed.items())
    outcomes: list[Composed | Incomplete] = []
    for composed in found:
        shared = next((item for item in composed.items() if claims[item.posting] > 1 or item.posting in taken), None)
        if shared is None:
            outcomes.append(composed)
        else:
            outcomes.append(Incomplete("unique", "another payout claims the same transaction", shared.object_id))
    return outcomes
