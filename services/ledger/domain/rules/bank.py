"""A bank line: bank against suspense at once; a match moves suspense later. Only these lines touch the bank account."""

from __future__ import annotations

from libs.events import BankLine, Event, ReferenceKind

from ..document import Document
from ..document_type import DocumentType
from ..entry import Entry, Line
from ..errors import Unbuildable
from ..master import BankNumber, Ref
from ..role import Role
from .books import Books, Built


def effects(event: Event) -> tuple[str, ...]:
    """Its place among lines of the same words."""
    return (str(event.body.occurrence),) if isinstance(event.body, BankLine) else ()


def needs(books: Books) -> tuple[Ref, ...]:
    return (BankNumber(books.body(BankLine).bank_account), *books.rate_refs(books.event.amount.currency))


def build(books: Books) -> tuple[Built, ...]:
    event, body = books.event, books.body(BankLine)
    journal = books.masters.journal(BankNumber(body.bank_account))
    if journal.type != "bank":
        raise Unbuildable("JOURNAL_TYPE_WRONG", "the bank account's journal is not a bank journal")
    if journal.default_account is None or journal.suspense_account is None:
        raise Unbuildable("JOURNAL_INCOMPLETE", "the bank journal has no own account or no suspense account")
    if (journal.currency or books.company.currency) != event.amount.currency:
        raise Unbuildable("CURRENCY_DIFFERS", "the statement's currency is not the bank journal's")
    (effect,) = effects(event)
    key = books.key(effect)
    balance = books.balance_of(event.amount)
    label = _label(event, body)
    lines = (
        Line(Role.BANK, journal.default_account, event.amount, balance, label),
        Line(Role.SUSPENSE, journal.suspense_account, -event.amount, -balance, label),
    )
    document = Document(
        effect=key,
        type=DocumentType.STATEMENT_LINE,
        journal=journal,
        day=body.booking_date,  # a calendar date of the bank: no time zone moves it
        original_day=body.booking_date,
        currency=event.amount.currency,
        transaction_id=event.transaction_id,
        entry=Entry(key, lines),
        origin=label,
    )
    return (Built(document),)


def _label(event: Event, body: BankLine) -> str:
    """What a person would write: what the payer wrote, else who paid, else a reference that the bank knows.

    Behind it stands what the bank notes, such as why a payment came back.
    """
    references = (reference.value for reference in event.references if reference.kind is ReferenceKind.SERVICER)
    text = body.remittance or body.counterparty_name or next(references, "") or event.object_id
    return f"{text} ({body.notes})" if body.notes else text
