"""Provider money: entries in the provider's journal against its clearing account (ACCOUNTING, events).

Every row is one shape. The provider signs its balance transactions into the balance: the clearing account
is debited with gross and credited with the fee; the counter role takes the mirror.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from libs.events import BalanceTransaction, Event, EventKind, ReferenceKind, effect_key
from libs.money import Money

from .context import SECOND_PAYMENT, Books, Built, PredecessorMissing
from .document import Document, DocumentType
from .entry import Entry, Line
from .errors import Unbuildable
from .master import AccountRole, CompanyWord, FeeWord, JournalRole, Party, PartyWord, Ref


@dataclass(frozen=True, slots=True)
class MoneyRule:
    """What stands against clearing for gross and for the fee, and the effect's word in the key."""

    counter: str
    fee_kind: str = "processing"
    effect: str = "gross"
    doubt: str = ""


RULES: dict[EventKind, MoneyRule] = {
    EventKind.CAPTURE: MoneyRule("AR"),
    EventKind.REFUND: MoneyRule("AR"),
    EventKind.REFUND_FAILED: MoneyRule("AR"),
    EventKind.DISPUTE_WITHDRAWN: MoneyRule("DSP", fee_kind="dispute"),
    EventKind.DISPUTE_REINSTATED: MoneyRule("DSP", fee_kind="dispute"),
    EventKind.FEE: MoneyRule("", effect="fee"),  # the counter is the fee kind's own role
    EventKind.FEE_RETURNED: MoneyRule("", effect="fee"),
    EventKind.RESERVE_HELD: MoneyRule("RSV"),
    EventKind.RESERVE_RELEASED: MoneyRule("RSV"),
    EventKind.PAYOUT: MoneyRule("TRN"),
    EventKind.PAYOUT_RETURNED: MoneyRule("TRN"),
    EventKind.ADJUSTMENT: MoneyRule("UNX", doubt="PROVIDER_ITEM_UNEXPLAINED"),
}


def needs(books: Books) -> tuple[Ref, ...]:
    event, currency = books.event, books.event.amount.currency
    refs: list[Ref] = [CompanyWord(), _journal(event, currency)]
    if event.kind is EventKind.DISPUTE_LOST:
        return (*refs, _role(event, "CBL", currency), *_disputed_refs(books))
    body = _body(event)
    rule = RULES[event.kind]
    refs.append(_role(event, "CLR", currency))
    fee = FeeWord(event.provider, event.account, rule.fee_kind)
    refs += [fee, *(_role(event, role, currency) for role in ("FEE", "FWH", "DFE"))]
    if rule.counter:
        refs.append(_role(event, rule.counter, _counter_amount(body).currency))
    if rule.counter == "AR":
        refs += books.customer_words(PartyWord(event.interface, body.customer_id))
    if body.presentment:
        refs.append(_role(event, "FXD", books.company.currency))
    if currency != books.company.currency:
        refs += [_role(event, "FXD", books.company.currency), books.rate_on(currency)]
    return tuple(dict.fromkeys(refs))


def build(books: Books) -> tuple[Built, ...]:
    if books.event.kind is EventKind.DISPUTE_LOST:
        return (_dispute_lost(books),)
    rule, body = RULES[books.event.kind], _body(books.event)
    if rule.effect == "fee" and body.fee:
        raise Unbuildable("FEE_ON_FEE", "a fee's own balance transaction bears a fee")
    documents = []
    if body.gross:
        document = _gross(books, rule, body)
        again = books.event.kind is EventKind.CAPTURE and books.overpays(document)
        documents.append(Built(document, doubt=SECOND_PAYMENT if again else rule.doubt))
    if body.fee:
        documents.append(Built(_fee(books, "fee", rule.fee_kind, body.fee)))
    return tuple(documents)


def _gross(books: Books, rule: MoneyRule, body: BalanceTransaction) -> Document:
    if not rule.counter:
        return _fee(books, rule.effect, rule.fee_kind, -body.gross)
    event = books.event
    clearing = _line(books, "CLR", body.gross, books.balance_of(body.gross))
    amount = -_counter_amount(body)
    own = -clearing.balance
    balance = own
    if rule.counter in ("AR", "DSP"):
        among = _of_dispute(books) if rule.counter == "DSP" else books.context.documents
        balance = books.closing_balance(rule.counter, amount, own, among)
    party = None
    if rule.counter == "AR":
        party = books.customer(PartyWord(event.interface, body.customer_id))
    counter = _line(books, rule.counter, amount, balance, party)
    gap = -(clearing.balance + counter.balance)
    lines = (clearing, counter) if not gap else (clearing, counter, _line(books, "FXD", gap, gap))
    converts = bool(body.presentment) or bool(gap)
    document = _document(books, rule.effect, Entry(_key(event, rule.effect), lines, converts), party)
    return replace(document, dispute=_dispute(event)) if rule.counter == "DSP" else document


def _fee(books: Books, effect: str, fee_kind: str, kept: Money) -> Document:
    event = books.event
    role = books.masters.fee(FeeWord(event.provider, event.account, fee_kind)).role
    balance = books.balance_of(kept)
    lines = (_line(books, role, kept, balance), _line(books, "CLR", -kept, -balance))
    return _document(books, effect, Entry(_key(event, effect), lines))


def _dispute_lost(books: Books) -> Built:
    """CBL / DSP for what the dispute took, at its carrying balance. No money moves."""
    taken = _disputed(books)
    open_amounts = Money.totals(line.amount for line in taken)
    if not taken:
        raise PredecessorMissing("the dispute's withdrawal has not been recorded")
    if len(open_amounts) != 1 or open_amounts[0].minor_units <= 0:
        raise Unbuildable("DISPUTE_NOT_OPEN", "nothing of this dispute is open on the account of disputed money")
    (amount,) = open_amounts
    (balance,) = Money.totals(line.balance for line in taken)
    lines = (_line(books, "CBL", amount, balance), _line(books, "DSP", -amount, -balance))
    document = _document(books, "lost", Entry(_key(books.event, "lost"), lines))
    document = replace(document, dispute=_dispute(books.event))
    predecessors = [one.effect for one in _of_dispute(books) if any(line in taken for line in one.entry.lines)]
    return Built(document, predecessors=tuple(predecessors))


def _disputed(books: Books) -> list[Line]:
    return [line for document in _of_dispute(books) for line in document.entry.lines if line.role == "DSP"]


def _of_dispute(books: Books) -> list[Document]:
    """The story's documents without those of another dispute about the same order or payment."""
    mine = _dispute(books.event)
    return [one for one in books.context.documents if not mine or one.dispute in ("", mine)]


def _dispute(event: Event) -> str:
    return next((one.value for one in event.references if one.kind is ReferenceKind.DISPUTE), "")


def _disputed_refs(books: Books) -> tuple[Ref, ...]:
    currencies = dict.fromkeys(line.amount.currency for line in _disputed(books))
    return tuple(_role(books.event, role, currency) for currency in currencies for role in ("DSP", "CBL"))


def _counter_amount(body: BalanceTransaction) -> Money:
    """What the counter line bears: the customer's own currency where it differs from the balance's."""
    return body.presentment or body.gross


def _line(books: Books, role: str, amount: Money, balance: Money, party: Party | None = None) -> Line:
    account = books.masters.account(_role(books.event, role, amount.currency))
    return Line(role, account, amount, balance, _label(books.event), party)


def _document(books: Books, effect: str, entry: Entry, party: Party | None = None) -> Document:
    event = books.event
    currency = event.amount.currency
    return Document(
        effect=entry.effect,
        type=DocumentType.ENTRY,
        journal=books.masters.journal(_journal(event, currency)),
        day=books.day,
        original_day=books.day,
        currency=currency,
        transaction_id=event.transaction_id,
        entry=entry,
        party=party,
        origin=event.object_id,
    )


def _role(event: Event, role: str, currency: str) -> AccountRole:
    return AccountRole(role, event.provider, event.account, currency)


def _journal(event: Event, currency: str) -> JournalRole:
    return JournalRole("PSP", event.provider, event.account, currency)


def _label(event: Event) -> str:
    return f"{event.kind.value.replace('_', ' ')} {event.object_id}"


def _key(event: Event, effect: str) -> str:
    return effect_key(event.company, event.provider, event.account, event.object_id, effect)


def _body(event: Event) -> BalanceTransaction:
    if not isinstance(event.body, BalanceTransaction):
        raise Unbuildable("EVENT_INVALID", f"{event.kind.value} tells of no balance transaction")
    return event.body


def receivable_moved(document: Document, to: Party) -> Document | None:
    """AR / AR from the unidentified customer to the one now known, on the same day (ACCOUNTING rule 10).

    None where nothing has to move. `document` is a posted entry of provider money.
    """
    moved = [line for line in document.entry.lines if line.role == "AR" and line.party != to]
    if not moved:
        return None
    effect = document.effect.rpartition("_")[0] + "_party"
    label = f"customer known of {document.origin}"
    lines = []
    for line in moved:
        lines.append(replace(line, amount=-line.amount, balance=-line.balance, label=label))
        lines.append(replace(line, label=label, party=to))
    return replace(document, effect=effect, entry=Entry(effect, tuple(lines)), party=to)
