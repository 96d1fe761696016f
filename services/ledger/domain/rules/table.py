"""The table of ACCOUNTING.md: the kind of an event decides which rules make its documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from libs.events import BalanceTransaction, Event, EventKind, ReferenceKind

from ..master import Company, CompanyWord, Masters, Ref
from ..story import Context
from . import bank, commercial, dispute, money
from .books import Books, Built

# References of these kinds join events to one story: an order, its captures, refunds and disputes.
STORY = (ReferenceKind.ORDER, ReferenceKind.PAYMENT, ReferenceKind.REFUND, ReferenceKind.DISPUTE)


@dataclass(frozen=True, slots=True)
class Family:
    """Rules that share a file.

    `effects` are the words of what `build` makes documents of, in the same order, before anything is known of the
    company's books; `needs` are the questions to masterdata that `build` will ask.
    """

    effects: Callable[[Event], tuple[str, ...]]
    needs: Callable[[Books], tuple[Ref, ...]]
    build: Callable[[Books], tuple[Built, ...]]


_BANK = Family(bank.effects, bank.needs, bank.build)
_COMMERCIAL = Family(commercial.effects, commercial.needs, commercial.build)
_DISPUTE = Family(dispute.effects, dispute.needs, dispute.build)
_MONEY = Family(money.effects, money.needs, money.build)

TABLE: dict[EventKind, Family] = {
    EventKind.BANK_LINE: _BANK,
    EventKind.DISPUTE_LOST: _DISPUTE,
    EventKind.DOCUMENT: _COMMERCIAL,
    **dict.fromkeys(money.RULES, _MONEY),
}


def has_effect(event: Event) -> bool:
    """False for evidence of a fact that another message posts, and for money of nothing."""
    if event.kind not in TABLE:
        return False
    if isinstance(event.body, BalanceTransaction):
        return bool(event.body.gross or event.body.fee)
    return bool(event.amount)


def effects_of(event: Event) -> tuple[str, ...]:
    """The words of the event's effects; none for evidence."""
    family = TABLE.get(event.kind)
    return family.effects(event) if family else ()


def needs(event: Event, company: Company, context: Context) -> tuple[Ref, ...]:
    """Every question to masterdata that `build` will ask, for one batched call."""
    books = Books(event, Masters({CompanyWord(): company}, 0, ""), context, company)
    return tuple(dict.fromkeys((CompanyWord(), *TABLE[event.kind].needs(books))))


def build(event: Event, masters: Masters, context: Context) -> tuple[Built, ...]:
    """The documents of an event that has effects, one an effect, in the order they should be posted.

    Deterministic. Raises `Unbuildable` (a person must look), `PredecessorMissing` (wait), `Unbalanced` (a bug).
    """
    return TABLE[event.kind].build(Books(event, masters, context, masters.company()))
