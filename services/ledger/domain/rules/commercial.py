"""Commercial documents: invoices and credit notes of both sides. Money never appears here, but for how a part was paid.

What a document does follows from tables alone: its kind and direction choose the form, its lines' kinds the accounts,
its tenders what pays it. A provider never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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
    TaxLine,
    TenderKind,
)
from libs.money import Money

from ..document import Document, InvoiceLine
from ..document_type import DocumentType
from ..entry import Entry, Line
from ..errors import Unbuildable
from ..master import PartyWord, PostingParty, ProductWord, Ref, TaxWord
from ..role import Role
from .books import SECOND_PAYMENT, Books, Built, PredecessorMissing
from .purchase import check_bill, supplier_word, tax_of

INVOICE, CREDIT = "invoice", "credit"  # the effects of sales
BILL, BILL_CREDIT = "bill", "billcredit"  # and of purchases
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
_BOUGHT = {
    LineKind.PRODUCT: Role.EXPENSE,
    LineKind.SERVICE: Role.EXPENSE,
    LineKind.FEE: Role.EXPENSE,
    LineKind.DUTY: Role.EXPENSE,
    LineKind.TIP: Role.EXPENSE,
    LineKind.SHIPPING: Role.EXPENSE,
    LineKind.ROUNDING: Role.ROUNDING,
}
_RETURNED = {kind: role if role in (Role.GIFT_CARD, Role.ROUNDING) else Role.RETURN for kind, role in _SOLD.items()}


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind of document on one side of the company becomes."""

    effect: str
    type: DocumentType
    journal: str  # its role
    journal_type: str  # also what its taxes are for
    accounts: Mapping[LineKind, Role]  # a kind of line that is not in it makes no document
    owed: Role = Role.RECEIVABLE
    tax: Role = Role.TAX
    is_mirrored: bool = False  # against a sale's invoice: what is owed is credited
    corrects: str = INVOICE  # the effect that a credit note is of


_BILL = Form(
    effect=BILL,
    type=DocumentType.SUPPLIER_BILL,
    journal="PUR",
    journal_type="purchase",
    accounts=_BOUGHT,
    owed=Role.PAYABLE,
    tax=Role.INPUT_TAX,
    is_mirrored=True,
    corrects=BILL,
)
FORMS: dict[tuple[DocumentKind, Direction], Form] = {
    (DocumentKind.INVOICE, Direction.SALE): Form(INVOICE, DocumentType.CUSTOMER_INVOICE, "SAL", "sale", _SOLD),
    (DocumentKind.DEBIT_NOTE, Direction.SALE): Form(INVOICE, DocumentType.CUSTOMER_INVOICE, "SAL", "sale", _SOLD),
    (DocumentKind.CREDIT_NOTE, Direction.SALE): Form(
        CREDIT, DocumentType.CUSTOMER_CREDIT_NOTE, "SAL", "sale", _RETURNED, is_mirrored=True
    ),
    (DocumentKind.INVOICE, Direction.PURCHASE): _BILL,
    (DocumentKind.DEBIT_NOTE, Direction.PURCHASE): _BILL,
    (DocumentKind.CREDIT_NOTE, Direction.PURCHASE): replace(
        _BILL, effect=BILL_CREDIT, type=DocumentType.SUPPLIER_CREDIT_NOTE, is_mirrored=False
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
    refs: list[Ref] = [books.journal(form.journal), *_party_words(books, body)]
    refs += [books.role(role) for role in (form.owed, form.tax, Role.ROUNDING, *form.accounts.values())]
    for line in _lines(body):
        refs += [_tax_word(books, form, tax) for tax in line.taxes if tax.rate]
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
    reverses = _corrected(books, form, body) if body.kind is DocumentKind.CREDIT_NOTE else ""
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
        party=_party(books, body),
        invoice_lines=tuple(items),
        reverses=reverses,
        origin=_number(body),
        due=body.due_date if body.direction is Direction.PURCHASE else None,
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
    if body.direction is Direction.PURCHASE:
        check_bill(body, _lines(body))


def _corrected(books: Books, form: Form, body: CommercialDocument) -> str:
    """The effect that a credit note corrects."""
    event, corrected = books.event, body.corrects
    if corrected is None or not corrected.object_id:
        raise Unbuildable("CORRECTED_UNKNOWN", "the credit note does not say which document it corrects")
    reverses = str(EffectKey(event.company, event.provider, event.account, corrected.object_id, form.corrects))
    known = body.counterparty is not None and body.counterparty.external_id
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
        lines.append(Line(form.tax, books.account(form.tax), tax, books.balance_of(tax), "tax"))
    owed = -Money(currency, sum(line.amount.minor_units for line in lines))
    if owed != body.totals.gross:
        raise Unbuildable("DOCUMENT_TOTAL_DIFFERS", "the lines do not add up to the document's total")
    carried = -Money(books.company.currency, sum(line.balance.minor_units for line in lines))
    lines.append(Line(form.owed, books.account(form.owed), owed, carried, _label(body), _party(books, body)))
    entry = Entry(key, tuple(lines))
    return entry.mirrored() if form.is_mirrored else entry


def _number(body: CommercialDocument) -> str:
    """What people call the sale: of a credit note the sale that it corrects. A bill has its supplier's own number."""
    return body.corrects.number if body.corrects and body.direction is Direction.SALE else body.number


def _label(body: CommercialDocument) -> str:
    thing = "order" if body.direction is Direction.SALE else "bill"
    if body.kind is not DocumentKind.CREDIT_NOTE:
        return f"{thing} {body.number}"
    return f"refund of {thing} {body.corrects.number if body.corrects else ''}".rstrip()


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
        taxes=tuple(books.masters.tax(_tax_word(books, form, tax)).odoo_id for tax in line.taxes),
        product=product.odoo_id if product else None,
    )


def _tax(line: DocumentLine) -> Money:
    """The line's taxes as Odoo computes them."""
    return sum((tax_of(line.net, tax) for tax in line.taxes), Money.zero(line.net.currency))


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


def _party(books: Books, body: CommercialDocument) -> PostingParty:
    """Who bears what is owed."""
    if body.direction is Direction.PURCHASE:
        return books.masters.party(supplier_word(books, body))
    return books.customer(_buyer(books, body))


def _party_words(books: Books, body: CommercialDocument) -> tuple[PartyWord, ...]:
    if body.direction is Direction.PURCHASE:
        return (supplier_word(books, body),)
    return books.customer_words(_buyer(books, body))


def _buyer(books: Books, body: CommercialDocument) -> PartyWord:
    party = body.buyer or Party("", "")
    return PartyWord(party.issuer or books.event.interface, party.external_id)


def _tax_word(books: Books, form: Form, tax: TaxLine) -> TaxWord:
    return TaxWord(books.event.provider, books.event.account, tax.title, tax.rate, form.journal_type)
