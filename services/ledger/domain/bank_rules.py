"""A bank line: bank against suspense at once; a match moves suspense later. Only these lines touch the bank account."""

from __future__ import annotations

from libs.events import BankLine, effect_key

from .context import Books, Built
from .document import Document, DocumentType
from .entry import Entry, Line
from .errors import Unbuildable
from .master import BankNumber, CompanyWord, Ref


def needs(books: Books) -> tuple[Ref, ...]:
    refs: list[Ref] = [CompanyWord(), BankNumber(_body(books).bank_account)]
    currency = books.event.amount.currency
    if currency != books.company.currency:
        refs.append(books.rate_on(currency))
    return tuple(refs)


def build(books: Books) -> tuple[Built, ...]:
    event, body = books.event, _body(books)
    journal = books.masters.journal(BankNumber(body.bank_account))
    if journal.type != "bank":
        raise Unbuildable("JOURNAL_TYPE_WRONG", "the bank account's journal is not a bank journal")
    if journal.default_account is None or journal.suspense_account is None:
        raise Unbuildable("JOURNAL_INCOMPLETE", "the bank journal has no own account or no suspense account")
    if (journal.currency or books.company.currency) != event.amount.currency:
        raise Unbuildable("CURRENCY_DIFFERS", "the statement's currency is not the bank journal's")
    effect = effect_key(event.company, event.provider, event.account, event.object_id, str(body.occurrence))
    balance = books.balance_of(event.amount)
    label = body.remittance or body.counterparty_name or event.object_id
    lines = (
        Line("BNK", journal.default_account, event.amount, balance, label),
        Line("SUS", journal.suspense_account, -event.amount, -balance, label),
    )
    document = Document(
        effect=effect,
        type=DocumentType.STATEMENT_LINE,
        journal=journal,
        day=body.booking_date,  # a calendar date of the bank: no time zone moves it
        original_day=body.booking_date,
        currency=event.amount.currency,
        transaction_id=event.transaction_id,
        entry=Entry(effect, lines),
        origin=label,
    )
    return (Built(document),)


def _body(books: Books) -> BankLine:
    if not isinstance(books.event.body, BankLine):
        raise Unbuildable("EVENT_INVALID", "a bank line's event has another body")
    return books.event.body
