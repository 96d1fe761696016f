"""Which effects an event has in the books, what must be known for them, and how they are built.

The table of ACCOUNTING.md as data: the kind of an event decides everything.
"""

from __future__ import annotations

from libs.events import BalanceTransaction, Event, EventKind, ReferenceKind

from . import bank_rules, money_rules, sale_rules
from .context import Books, Built, Context
from .master import Company, CompanyWord, Masters, Ref

# References of these kinds join events to one story: an order, its captures, refunds and disputes.
STORY = (ReferenceKind.ORDER, ReferenceKind.PAYMENT, ReferenceKind.REFUND, ReferenceKind.DISPUTE)


def has_effect(event: Event) -> bool:
    """False for evidence of a fact that another message posts, and for money of nothing."""
    if event.kind is EventKind.EVIDENCE:
        return False
    if isinstance(event.body, BalanceTransaction):
        return bool(event.body.gross or event.body.fee)
    return bool(event.amount)


def needs(event: Event, company: Company, context: Context) -> tuple[Ref, ...]:
    """Every question to masterdata that `build` will ask, for one batched call."""
    books = Books(event, Masters({CompanyWord(): company}, 0, ""), context, company)
    if event.kind in sale_rules.KINDS:
        return sale_rules.needs(books)
    if event.kind is EventKind.BANK_LINE:
        return bank_rules.needs(books)
    return money_rules.needs(books)


def build(event: Event, masters: Masters, context: Context) -> tuple[Built, ...]:
    """The documents of an event that has effects, one an effect, in the order they should be posted.

    Deterministic. Raises `Unbuildable` (a person must look), `PredecessorMissing` (wait), `Unbalanced` (a bug).
    """
    books = Books(event, masters, context, masters.company())
    if event.kind in sale_rules.KINDS:
        return sale_rules.build(books)
    if event.kind is EventKind.BANK_LINE:
        return bank_rules.build(books)
    return money_rules.build(books)
