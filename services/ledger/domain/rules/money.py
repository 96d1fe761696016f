"""Provider money: entries in the provider's journal against its clearing account (ACCOUNTING, events).

Every row is one shape. The provider signs its balance transactions into the balance: the clearing account
is debited with gross and credited with the fee; the counter role takes the mirror.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from libs.events import BalanceTransaction, EffectKey, Event, EventKind
from libs.money import Money

from ..document import Document
from ..document_type import DocumentType
from ..entry import Entry, Line
from ..errors import Unbuildable
from ..master import FeeWord, JournalRole, PartyWord, PostingParty, Ref
from ..role import Role
from .books import SECOND_PAYMENT, Books, Built

GROSS, FEE, PARTY = "gross", "fee", "party"  # the effects
JOURNAL = "PSP"
_FEE_ROLES = (Role.FEE, Role.FEE_WITHHELD, Role.DISPUTE_FEE)


@dataclass(frozen=True, slots=True)
class MoneyRule:
    """What stands against clearing for gross and for the fee. Without a counter, gross itself is a fee."""

    counter: Role | None
    fee_kind: str = "processing"
    doubt: str = ""


RULES: dict[EventKind, MoneyRule] = {
    EventKind.CAPTURE: MoneyRule(Role.RECEIVABLE),
    EventKind.REFUND: MoneyRule(Role.RECEIVABLE),
    EventKind.REFUND_FAILED: MoneyRule(Role.RECEIVABLE),
    EventKind.DISPUTE_WITHDRAWN: MoneyRule(Role.DISPUTED, fee_kind="dispute"),
    EventKind.DISPUTE_REINSTATED: MoneyRule(Role.DISPUTED, fee_kind="dispute"),
    EventKind.FEE: MoneyRule(None),
    EventKind.FEE_RETURNED: MoneyRule(None),
    EventKind.RESERVE_HELD: MoneyRule(Role.RESERVE),
    EventKind.RESERVE_RELEASED: MoneyRule(Role.RESERVE),
    EventKind.PAYOUT: MoneyRule(Role.TRANSIT),
    EventKind.PAYOUT_RETURNED: MoneyRule(Role.TRANSIT),
    EventKind.ADJUSTMENT: MoneyRule(Role.UNEXPLAINED, doubt="PROVIDER_ITEM_UNEXPLAINED"),
}


def effects(event: Event) -> tuple[str, ...]:
    if not isinstance(event.body, BalanceTransaction):
        return ()
    gross = GROSS if RULES[event.kind].counter else FEE
    return tuple(dict.fromkeys([gross] * bool(event.body.gross) + [FEE] * bool(event.body.fee)))


def needs(books: Books) -> tuple[Ref, ...]:
    event, currency, home = books.event, books.event.amount.currency, books.company.currency
    body, rule = books.body(BalanceTransaction), RULES[books.event.kind]
    refs: list[Ref] = [_journal(books), books.role(Role.CLEARING), _fee_word(books, rule)]
    refs += [books.role(role) for role in _FEE_ROLES]
    if rule.counter:
        refs.append(books.role(rule.counter, _counter_amount(body).currency))
    if rule.counter is Role.RECEIVABLE:
        refs += books.customer_words(PartyWord(event.interface, body.customer_id))
    if body.presentment or currency != home:
        refs.append(books.role(Role.EXCHANGE, home))
    return (*refs, *books.rate_refs(currency))


def build(books: Books) -> tuple[Built, ...]:
    rule, body = RULES[books.event.kind], books.body(BalanceTransaction)
    if not rule.counter and body.fee:
        raise Unbuildable("FEE_ON_FEE", "a fee's own balance transaction bears a fee")
    built = []
    if body.gross and rule.counter:
        document = _gross(books, rule.counter, body)
        again = books.event.kind is EventKind.CAPTURE and books.overpays(document)
        built.append(Built(document, doubt=SECOND_PAYMENT if again else rule.doubt))
    elif body.gross:
        built.append(Built(_fee(books, rule, -body.gross), doubt=rule.doubt))
    if body.fee:
        built.append(Built(_fee(books, rule, body.fee)))
    return tuple(built)


def document_of(books: Books, effect: str, lines: tuple[Line, ...], converts: bool = False) -> Document:
    """An entry in the provider's journal."""
    event, key = books.event, books.key(effect)
    return Document(
        effect=key,
        type=DocumentType.ENTRY,
        journal=books.masters.journal(_journal(books)),
        day=books.day,
        original_day=books.day,
        currency=event.amount.currency,
        transaction_id=event.transaction_id,
        entry=Entry(key, lines, converts),
        party=next((line.party for line in lines if line.party), None),
        origin=event.object_id,
        dispute=books.dispute if any(line.role is Role.DISPUTED for line in lines) else "",
    )


def line_of(books: Books, role: Role, amount: Money, balance: Money, party: PostingParty | None = None) -> Line:
    event = books.event
    return books.line(role, amount, balance, f"{event.kind.value.replace('_', ' ')} {event.object_id}", party)


def moved_receivables(story: Iterable[Document]) -> list[tuple[Document, Document]]:
    """Receipts that stand on another customer than their order's invoice, each with the entry that moves it."""
    documents = list(story)
    customer = next((document.party for document in documents if document.type.traits.sign > 0), None)
    if customer is None:
        return []
    known = {document.effect for document in documents}
    moves = [
        (document, receivable_moved(document, customer))
        for document in documents
        if not document.type.traits.sign and EffectKey.parse(document.effect).effect != PARTY
    ]
    return [(document, move) for document, move in moves if move is not None and move.effect not in known]


def receivable_moved(document: Document, to: PostingParty) -> Document | None:
    """AR / AR from the unidentified customer to the one now known, on the same day (ACCOUNTING rule 10).

    None where nothing has to move. `document` is a posted entry of provider money.
    """
    moved = [line for line in document.entry.lines if line.role is Role.RECEIVABLE and line.party != to]
    if not moved:
        return None
    key = str(EffectKey.parse(document.effect).sibling(PARTY))
    label = f"customer known of {document.origin}"
    lines = []
    for line in moved:
        lines.append(replace(line, amount=-line.amount, balance=-line.balance, label=label))
        lines.append(replace(line, label=label, party=to))
    return replace(document, effect=key, entry=Entry(key, tuple(lines)), party=to)


def _gross(books: Books, counter_role: Role, body: BalanceTransaction) -> Document:
    clearing = line_of(books, Role.CLEARING, body.gross, books.balance_of(body.gross))
    amount = -_counter_amount(body)
    balance = -clearing.balance
    party = None
    if counter_role is Role.RECEIVABLE:
        balance = books.closing_balance(counter_role, amount, balance, books.context.documents)
        party = books.customer(PartyWord(books.event.interface, body.customer_id))
    elif counter_role is Role.DISPUTED:
        balance = books.closing_balance(counter_role, amount, balance, books.of_dispute())
    counter = line_of(books, counter_role, amount, balance, party)
    gap = -(clearing.balance + counter.balance)
    lines = (clearing, counter) if not gap else (clearing, counter, line_of(books, Role.EXCHANGE, gap, gap))
    return document_of(books, GROSS, lines, bool(body.presentment) or bool(gap))


def _fee(books: Books, rule: MoneyRule, kept: Money) -> Document:
    role = books.masters.fee(_fee_word(books, rule)).role
    balance = books.balance_of(kept)
    lines = (line_of(books, role, kept, balance), line_of(books, Role.CLEARING, -kept, -balance))
    return document_of(books, FEE, lines)


def _fee_word(books: Books, rule: MoneyRule) -> FeeWord:
    return FeeWord(books.event.provider, books.event.account, rule.fee_kind)


def _counter_amount(body: BalanceTransaction) -> Money:
    """What the counter line bears: the customer's own currency where it differs from the balance's."""
    return body.presentment or body.gross


def _journal(books: Books) -> JournalRole:
    return books.journal(JOURNAL)
