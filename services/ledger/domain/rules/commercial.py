"""Commercial documents: invoices and credit notes. Money never appears here, but for how a part was paid.

What a document does follows from tables alone: its kind and direction choose the form, its lines' kinds the accounts,
its tenders what pays it. A provider never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from libs.events import (
    Collector,
    CommercialDocument,
    Direction,
    DocumentKind,
    DocumentLine,
    EffectKey,
    Event,
    LineKind,
    Party,
    TenderKind,
)
from libs.money import Money

from ..document import Document, InvoiceLine
from ..document_type import DocumentType
from ..entry import Entry, Line
from ..errors import Unbuildable
from ..master import PartyWord, ProductWord, Ref, TaxWord
from ..role import Role
from .books import SECOND_PAYMENT, Books, Built, PredecessorMissing

INVOICE, CREDIT = "invoice", "credit"  # the effects
QUANTITY_DIGITS = 9

_SOLD = {
    LineKind.PRODUCT: Role.REVENUE,
    LineKind.SERVICE: Role.REVENUE,
    LineKind.FEE: Role.REVENUE,
    LineKind.DUTY: Role.REVENUE,
    LineKind.TIP: Role.REVENUE,
    LineKind.SHIPPING: Role.SHIPPING,
    LineKind.GIFT_CARD: Role.GIFT_CARD,
    LineKind.ROUNDING: Role.ROUNDING,
}
_RETURNED = {kind: role if role in (Role.GIFT_CARD, Role.ROUNDING) else Role.RETURN for kind, role in _SOLD.items()}


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind of document on one side of the company becomes."""

    effect: str
    type: DocumentType
    journal: str  # its role
    journal_type: str
    accounts: Mapping[LineKind, Role]  # a kind of line that is not in it makes no document


FORMS: dict[tuple[DocumentKind, Direction], Form] = {
    (DocumentKind.INVOICE, Direction.SALE): Form(INVOICE, DocumentType.CUSTOMER_INVOICE, "SAL", "sale", _SOLD),
    (DocumentKind.DEBIT_NOTE, Direction.SALE): Form(INVOICE, DocumentType.CUSTOMER_INVOICE, "SAL", "sale", _SOLD),
    (DocumentKind.CREDIT_NOTE, Direction.SALE): Form(
        CREDIT, DocumentType.CUSTOMER_CREDIT_NOTE, "SAL", "sale", _RETURNED
    ),
}
# Money that comes by itself, from a provider or a bank, pays a document without a word of the document.
PAID_BY_OTHERS = frozenset({TenderKind.PROVIDER, TenderKind.BANK_TRANSFER})


def effects(event: Event) -> tuple[str, ...]:
    """One document, one effect. Of a kind that has no form yet too: somebody must see that it came."""
    body = event.body
    form = FORMS.get((body.kind, body.direction)) if isinstance(body, CommercialDocument) else None
    return (form.effect if form else INVOICE,)


def needs(books: Books) -> tuple[Ref, ...]:
    body, form = books.body(CommercialDocument), _form(books)
    refs: list[Ref] = [books.journal(form.journal), *books.customer_words(_counterparty(books, body))]
    refs += [books.role(role) for role in (Role.RECEIVABLE, Role.TAX, Role.ROUNDING, *form.accounts.values())]
    for line in _lines(body):
        refs += [_tax_word(books, tax.title, tax.rate) for tax in line.taxes if tax.rate]
        if line.sku:
            refs.append(ProductWord(line.sku))
    return (*refs, *books.rate_refs(body.totals.gross.currency))


def build(books: Books) -> tuple[Built, ...]:
    """Raises `PredecessorMissing` for a credit note that does not say whose it is, until its invoice does."""
    event, body, form = books.event, books.body(CommercialDocument), _form(books)
    _check(body)
    journal = books.masters.journal(books.journal(form.journal))
    if journal.type != form.journal_type:
        raise Unbuildable("JOURNAL_TYPE_WRONG", f"{form.journal_type} documents need a {form.journal_type} journal")
    lines = _lines(body)
    items = [_item(books, form, line) for line in lines if line.net or line.taxes]
    taxes = [_tax(line) for line in lines]
    items += _rounding(books, body, taxes)
    if not items:
        raise Unbuildable("DOCUMENT_EMPTY", "the document has no line with an amount")
    reverses = _corrected(books, body) if form.type.traits.sign < 0 else ""
    key = books.key(form.effect)
    document = Document(
        effect=key,
        type=form.type,
        journal=journal,
        day=books.day,
        original_day=books.day,
        currency=body.totals.gross.currency,
        transaction_id=event.transaction_id,
        entry=_entry(books, form, key, items, taxes),
        party=books.customer(_counterparty(books, body)),
        invoice_lines=tuple(items),
        reverses=reverses,
        origin=_number(body),
    )
    doubt = SECOND_PAYMENT if not reverses and books.overpays(document) else ""  # the money came before its paper
    return (Built(document, predecessors=(reverses,) if reverses else (), doubt=doubt),)


def _form(books: Books) -> Form:
    body = books.body(CommercialDocument)
    form = FORMS.get((body.kind, body.direction))
    if form is None:
        raise Unbuildable("DOCUMENT_KIND_UNSUPPORTED", f"no rule for a {body.kind.value} of a {body.direction.value}")
    return form


def _check(body: CommercialDocument) -> None:
    """Raises `Unbuildable` for what the tables do not cover: booked as something else it would be wrong."""
    if any(tax.collector is not Collector.SELLER for line in _lines(body) for tax in line.taxes):
        raise Unbuildable("TAX_NOT_OURS", "a tax of the document is collected by somebody else than its seller")
    if any(not tax.rate for line in _lines(body) for tax in line.taxes):
        raise Unbuildable("TAX_UNSTATED", "the source does not say which tax a part of the document bears")
    if any(tender.kind not in PAID_BY_OTHERS for tender in body.tenders):
        raise Unbuildable("TENDER_UNSUPPORTED", "a part is paid by what no rule books yet")


def _corrected(books: Books, body: CommercialDocument) -> str:
    """The effect that a credit note corrects."""
    event, corrected = books.event, body.corrects
    if corrected is None or not corrected.object_id:
        raise Unbuildable("CORRECTED_UNKNOWN", "the credit note does not say which document it corrects")
    reverses = str(EffectKey(event.company, event.provider, event.account, corrected.object_id, INVOICE))
    known = body.buyer is not None and body.buyer.external_id
    if not known and reverses not in {document.effect for document in books.context.documents}:
        # Only the order says whose it was; a credit note for somebody else would never meet its refund.
        raise PredecessorMissing("the document that this credit note belongs to has not been recorded")
    return reverses


def _entry(books: Books, form: Form, key: str, items: list[InvoiceLine], taxes: list[Money]) -> Entry:
    """What Odoo will make of the document: sides of an invoice; a credit note's are mirrored."""
    body = books.body(CommercialDocument)
    lines = []
    roles = {books.account(role).code: role for role in (Role.ROUNDING, *form.accounts.values())}
    for item in items:
        amount = Money(item.unit_price.currency, -item.unit_price.minor_units * item.quantity)
        role = roles.get(item.account.code, Role.REVENUE)
        lines.append(Line(role, item.account, amount, books.balance_of(amount), item.label))
    currency = body.totals.gross.currency
    tax = Money(currency, -sum(amount.minor_units for amount in taxes))
    if tax:
        lines.append(Line(Role.TAX, books.account(Role.TAX), tax, books.balance_of(tax), "tax"))
    receivable = -Money(currency, sum(line.amount.minor_units for line in lines))
    if receivable != body.totals.gross:
        raise Unbuildable("DOCUMENT_TOTAL_DIFFERS", "the lines do not add up to the document's total")
    carried = -Money(books.company.currency, sum(line.balance.minor_units for line in lines))
    party = books.customer(_counterparty(books, body))
    returned = form.type.traits.sign < 0
    label = f"refund of order {_number(body)}" if returned else f"order {_number(body)}"
    lines.append(Line(Role.RECEIVABLE, books.account(Role.RECEIVABLE), receivable, carried, label, party))
    entry = Entry(key, tuple(lines))
    return entry.mirrored() if returned else entry


def _number(body: CommercialDocument) -> str:
    """What people call the sale: of a credit note the sale that it corrects."""
    return body.corrects.number if body.corrects else body.number


def _lines(body: CommercialDocument) -> tuple[DocumentLine, ...]:
    """The lines, then the allowances and charges of the whole document as lines of their own."""
    adjustments = tuple(
        DocumentLine(LineKind.PRODUCT, each.reason or each.kind.value, each.signed, taxes=each.taxes)
        for each in body.adjustments
    )
    return (*body.lines, *adjustments)


def _item(books: Books, form: Form, line: DocumentLine) -> InvoiceLine:
    role = form.accounts.get(line.kind)
    if role is None:
        raise Unbuildable("LINE_KIND_UNSUPPORTED", f"no rule for a line of kind {line.kind.value}")
    quantity = (int(line.quantity) if line.quantity.isdecimal() and len(line.quantity) <= QUANTITY_DIGITS else 1) or 1
    units, rest = divmod(line.net.minor_units, quantity)
    if rest:  # a unit price with more digits than the currency has would be rounded
        quantity, units = 1, line.net.minor_units
    product = books.masters.known_product(ProductWord(line.sku)) if line.sku else None
    return InvoiceLine(
        label=line.description or line.sku or line.kind.value,
        quantity=quantity,
        unit_price=Money(line.net.currency, units),
        account=books.account(role),
        taxes=tuple(books.masters.tax(_tax_word(books, tax.title, tax.rate)).odoo_id for tax in line.taxes),
        product=product.odoo_id if product else None,
    )


def _tax(line: DocumentLine) -> Money:
    """The line's tax as Odoo computes it: each tax rounded by the line, half away from zero."""
    units = 0
    for tax in line.taxes:
        exact = Decimal(line.net.minor_units) * Decimal(tax.rate)
        units += int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return Money(line.net.currency, units)


def _rounding(books: Books, body: CommercialDocument, taxes: list[Money]) -> list[InvoiceLine]:
    """A line for the cents between the source's tax and Odoo's; more than one a tax line is an exception."""
    stated = body.totals.tax
    gap = stated - Money(stated.currency, sum(amount.minor_units for amount in taxes))
    if not gap:
        return []
    allowed = sum(len(line.taxes) for line in _lines(body))
    if abs(gap.minor_units) > allowed:
        raise Unbuildable("TAX_DIFFERS", "the source's tax is not what its rates give, by more than a cent a tax line")
    return [InvoiceLine("rounding of tax", 1, gap, books.account(Role.ROUNDING))]


def _counterparty(books: Books, body: CommercialDocument) -> PartyWord:
    party = body.counterparty or Party("", "")
    return PartyWord(party.issuer or books.event.interface, party.external_id)


def _tax_word(books: Books, title: str, rate: str) -> TaxWord:
    return TaxWord(books.event.provider, books.event.account, title, rate)
