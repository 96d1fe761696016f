"""A dispute that is lost: what it took, at its carrying balance, is a loss. No money moves."""

from __future__ import annotations

from libs.events import Event
from libs.money import Money

from ..entry import Line
from ..errors import Unbuildable
from ..master import Ref
from ..role import Role
from . import money
from .books import Books, Built, PredecessorMissing

LOST = "lost"


def effects(event: Event) -> tuple[str, ...]:
    return (LOST,)


def needs(books: Books) -> tuple[Ref, ...]:
    currencies = dict.fromkeys(line.amount.currency for line in _taken(books))
    roles = [books.role(role, currency) for currency in currencies for role in (Role.DISPUTED, Role.LOST_DISPUTE)]
    return (books.journal(money.JOURNAL), books.role(Role.LOST_DISPUTE), *roles)


def build(books: Books) -> tuple[Built, ...]:
    taken = _taken(books)
    if not taken:
        raise PredecessorMissing("the dispute's withdrawal has not been recorded")
    amounts = Money.totals(line.amount for line in taken)
    if len(amounts) != 1 or amounts[0].minor_units <= 0:
        raise Unbuildable("DISPUTE_NOT_OPEN", "nothing of this dispute is open on the account of disputed money")
    (amount,) = amounts
    (balance,) = Money.totals(line.balance for line in taken)
    lines = (
        money.line_of(books, Role.LOST_DISPUTE, amount, balance),
        money.line_of(books, Role.DISPUTED, -amount, -balance),
    )
    predecessors = tuple(document.effect for document in books.of_dispute() if document.amounts(Role.DISPUTED))
    return (Built(money.document_of(books, LOST, lines), predecessors),)


def _taken(books: Books) -> list[Line]:
    return [line for document in books.of_dispute() for line in document.entry.lines if line.role is Role.DISPUTED]
