"""The shop's documents: customer invoices and credit notes. Money never appears here."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from libs.events import EffectKey, Event, EventKind, LineKind, Order, OrderLine, OrderRefund, Party
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
_JOURNAL = "SAL"
_SOLD = {LineKind.PRODUCT: Role.REVENUE, LineKind.SHIPPING: Role.SHIPPING, LineKind.GIFT_CARD: Role.GIFT_CARD}
_RETURNED = {LineKind.PRODUCT: Role.RETURN, LineKind.SHIPPING: Role.RETURN, LineKind.GIFT_CARD: Role.GIFT_CARD}


def effects(event: Event) -> tuple[str, ...]:
    return (CREDIT if event.kind is EventKind.ORDER_REFUNDED else INVOICE,)


def needs(books: Books) -> tuple[Ref, ...]:
    body = _body(books)
    refs: list[Ref] = [books.journal(_JOURNAL), *books.customer_words(_customer(books, body.customer))]
    refs += [books.role(role) for role in (Role.RECEIVABLE, Role.TAX, Role.ROUNDING, *_roles(books).values())]
    for line in body.lines:
        refs += [_tax_word(books, tax.title, tax.rate) for tax in line.taxes]
        if line.sku:
            refs.append(ProductWord(line.sku))
    return (*refs, *books.rate_refs(body.total.currency))


def build(books: Books) -> tuple[Built, ...]:
    """Raises `PredecessorMissing` for a refund that does not say whose it is, until its order does."""
    event, body = books.event, _body(books)
    journal = books.masters.journal(books.journal(_JOURNAL))
    if journal.type != "sale":
        raise Unbuildable("JOURNAL_TYPE_WRONG", "sale documents need a sale journal")
    items = [_item(books, line) for line in body.lines if line.net or line.taxes]
    taxes = [_tax(line) for line in body.lines]
    items += _rounding(books, body, taxes)
    if not items:
        raise Unbuildable("DOCUMENT_EMPTY", "the order has no line with an amount")
    reverses = ""
    if isinstance(body, OrderRefund):
        reverses = str(EffectKey(event.company, event.provider, event.account, body.order_id, INVOICE))
        if not body.customer.external_id and reverses not in {document.effect for document in books.context.documents}:
            # Only the order says whose it was; a credit note for somebody else would never meet its refund.
            raise PredecessorMissing("the order that this refund belongs to has not been recorded")
    (effect,) = effects(event)
    key = books.key(effect)
    document = Document(
        effect=key,
        type=DocumentType.CUSTOMER_CREDIT_NOTE if reverses else DocumentType.CUSTOMER_INVOICE,
        journal=journal,
        day=books.day,
        original_day=books.day,
        currency=body.total.currency,
        transaction_id=event.transaction_id,
        entry=_entry(books, key, body, items, taxes),
        party=books.customer(_customer(books, body.customer)),
        invoice_lines=tuple(items),
        reverses=reverses,
        origin=_number(body),
    )
    doubt = SECOND_PAYMENT if not reverses and books.overpays(document) else ""  # the money came before its paper
    return (Built(document, predecessors=(reverses,) if reverses else (), doubt=doubt),)


def _entry(books: Books, key: str, body: Order | OrderRefund, items: list[InvoiceLine], taxes: list[Money]) -> Entry:
    """What Odoo will make of the document: sides of an invoice; a credit note's are mirrored."""
    lines = []
    roles = {books.account(role).code: role for role in (Role.ROUNDING, *_roles(books).values())}
    for item in items:
        amount = Money(item.unit_price.currency, -item.unit_price.minor_units * item.quantity)
        role = roles.get(item.account.code, Role.REVENUE)
        lines.append(Line(role, item.account, amount, books.balance_of(amount), item.label))
    currency = body.total.currency
    tax = Money(currency, -sum(amount.minor_units for amount in taxes))
    if tax:
        lines.append(Line(Role.TAX, books.account(Role.TAX), tax, books.balance_of(tax), "tax"))
    receivable = -Money(currency, sum(line.amount.minor_units for line in lines))
    if receivable != body.total:
        raise Unbuildable("DOCUMENT_TOTAL_DIFFERS", "the lines do not add up to the order's total")
    carried = -Money(books.company.currency, sum(line.balance.minor_units for line in lines))
    party = books.customer(_customer(books, body.customer))
    returned = isinstance(body, OrderRefund)
    label = f"refund of order {_number(body)}" if returned else f"order {_number(body)}"
    lines.append(Line(Role.RECEIVABLE, books.account(Role.RECEIVABLE), receivable, carried, label, party))
    entry = Entry(key, tuple(lines))
    return entry.mirrored() if returned else entry


def _number(body: Order | OrderRefund) -> str:
    """What people call the order."""
    return body.order_number if isinstance(body, OrderRefund) else body.number


def _item(books: Books, line: OrderLine) -> InvoiceLine:
    quantity = (int(line.quantity) if line.quantity.isdecimal() and len(line.quantity) <= QUANTITY_DIGITS else 1) or 1
    units, rest = divmod(line.net.minor_units, quantity)
    if rest:  # a unit price with more digits than the currency has would be rounded
        quantity, units = 1, line.net.minor_units
    product = books.masters.known_product(ProductWord(line.sku)) if line.sku else None
    return InvoiceLine(
        label=line.description or line.sku or line.kind.value,
        quantity=quantity,
        unit_price=Money(line.net.currency, units),
        account=books.account(_roles(books)[line.kind]),
        taxes=tuple(books.masters.tax(_tax_word(books, tax.title, tax.rate)).odoo_id for tax in line.taxes),
        product=product.odoo_id if product else None,
    )


def _tax(line: OrderLine) -> Money:
    """The line's tax as Odoo computes it: each tax rounded by the line, half away from zero."""
    units = 0
    for tax in line.taxes:
        exact = Decimal(line.net.minor_units) * Decimal(tax.rate)
        units += int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return Money(line.net.currency, units)


def _rounding(books: Books, body: Order | OrderRefund, taxes: list[Money]) -> list[InvoiceLine]:
    """A line for the cents between the source's tax and Odoo's; more than one a tax line is an exception."""
    gap = body.tax_total - Money(body.tax_total.currency, sum(amount.minor_units for amount in taxes))
    if not gap:
        return []
    allowed = sum(len(line.taxes) for line in body.lines)
    if abs(gap.minor_units) > allowed:
        raise Unbuildable("TAX_DIFFERS", "the source's tax is not what its rates give, by more than a cent a tax line")
    return [InvoiceLine("rounding of tax", 1, gap, books.account(Role.ROUNDING))]


def _roles(books: Books) -> dict[LineKind, Role]:
    return _RETURNED if books.event.kind is EventKind.ORDER_REFUNDED else _SOLD


def _customer(books: Books, party: Party) -> PartyWord:
    return PartyWord(party.issuer or books.event.interface, party.external_id)


def _tax_word(books: Books, title: str, rate: str) -> TaxWord:
    return TaxWord(books.event.provider, books.event.account, title, rate)


def _body(books: Books) -> Order | OrderRefund:
    return books.body(OrderRefund) if books.event.kind is EventKind.ORDER_REFUNDED else books.body(Order)
