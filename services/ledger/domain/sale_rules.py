"""The shop's documents: customer invoices and credit notes. Money never appears here."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from libs.events import EventKind, LineKind, Order, OrderLine, OrderRefund, Party, effect_key
from libs.money import Money

from .context import SECOND_PAYMENT, Books, Built, PredecessorMissing
from .document import Document, DocumentType, InvoiceLine
from .entry import Entry, Line
from .errors import Unbuildable
from .master import AccountRole, CompanyWord, JournalRole, PartyWord, ProductWord, Ref, TaxWord

QUANTITY_DIGITS = 9
KINDS = (EventKind.ORDER_PAID, EventKind.ORDER_REFUNDED)
_ROLE_SOLD = {LineKind.PRODUCT: "REV", LineKind.SHIPPING: "SHP", LineKind.GIFT_CARD: "GCL"}
_ROLE_RETURNED = {LineKind.PRODUCT: "RET", LineKind.SHIPPING: "RET", LineKind.GIFT_CARD: "GCL"}


def needs(books: Books) -> tuple[Ref, ...]:
    body = _body(books)
    refs: list[Ref] = [CompanyWord(), _journal(books), *books.customer_words(_customer(books, body.customer))]
    refs += [_role(books, role) for role in ("AR", "TAX", "RND", *_roles(books).values())]
    for line in body.lines:
        refs += [_tax_word(books, tax.title, tax.rate) for tax in line.taxes]
        if line.sku:
            refs.append(ProductWord(line.sku))
    if body.total.currency != books.company.currency:
        refs.append(books.rate_on(body.total.currency))
    return tuple(dict.fromkeys(refs))


def build(books: Books) -> tuple[Built, ...]:
    """Raises `PredecessorMissing` for a refund that does not say whose it is, until its order does."""
    event, body = books.event, _body(books)
    journal = books.masters.journal(_journal(books))
    if journal.type != "sale":
        raise Unbuildable("JOURNAL_TYPE_WRONG", "sale documents need a sale journal")
    returned = isinstance(body, OrderRefund)
    effect = _key(books, event.object_id, "credit" if returned else "invoice")
    items = [_item(books, line) for line in body.lines if line.net or line.taxes]
    taxes = [_tax(line) for line in body.lines]
    items += _rounding(books, body, taxes)
    if not items:
        raise Unbuildable("DOCUMENT_EMPTY", "the order has no line with an amount")
    reverses = _key(books, body.order_id, "invoice") if isinstance(body, OrderRefund) else ""
    if reverses and not body.customer.external_id and reverses not in {one.effect for one in books.context.documents}:
        # Only the order says whose it was; a credit note for somebody else would never meet its refund.
        raise PredecessorMissing("the order that this refund belongs to has not been recorded")
    document = Document(
        effect=effect,
        type=DocumentType.CUSTOMER_CREDIT_NOTE if returned else DocumentType.CUSTOMER_INVOICE,
        journal=journal,
        day=books.day,
        original_day=books.day,
        currency=body.total.currency,
        transaction_id=event.transaction_id,
        entry=_entry(books, effect, body, items, taxes),
        party=books.customer(_customer(books, body.customer)),
        invoice_lines=tuple(items),
        reverses=reverses,
        origin=body.order_number if isinstance(body, OrderRefund) else body.number,
    )
    doubt = SECOND_PAYMENT if not returned and books.overpays(document) else ""  # the money came before its paper
    return (Built(document, predecessors=(reverses,) if reverses else (), doubt=doubt),)


def _entry(books: Books, effect: str, body: Order | OrderRefund, items: list[InvoiceLine], taxes: list[Money]) -> Entry:
    """What Odoo will make of the document: sides of an invoice; a credit note's are mirrored."""
    lines = []
    roles = {books.masters.account(_role(books, role)).code: role for role in ("RND", *_roles(books).values())}
    for item in items:
        amount = Money(item.unit_price.currency, -item.unit_price.minor_units * item.quantity)
        role = roles.get(item.account.code, "REV")
        lines.append(Line(role, item.account, amount, books.balance_of(amount), item.label))
    currency = body.total.currency
    tax = Money(currency, -sum(one.minor_units for one in taxes))
    if tax:
        account = books.masters.account(_role(books, "TAX"))
        lines.append(Line("TAX", account, tax, books.balance_of(tax), "tax"))
    receivable = -Money(currency, sum(line.amount.minor_units for line in lines))
    if receivable != body.total:
        raise Unbuildable("DOCUMENT_TOTAL_DIFFERS", "the lines do not add up to the order's total")
    carried = -Money(books.company.currency, sum(line.balance.minor_units for line in lines))
    party = books.customer(_customer(books, body.customer))
    lines.append(Line("AR", books.masters.account(_role(books, "AR")), receivable, carried, _label(body), party))
    entry = Entry(effect, tuple(lines))
    return entry.mirrored() if isinstance(body, OrderRefund) else entry


def _label(body: Order | OrderRefund) -> str:
    """What people call the document."""
    return f"refund of order {body.order_number}" if isinstance(body, OrderRefund) else f"order {body.number}"


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
        account=books.masters.account(_role(books, _roles(books)[line.kind])),
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
    gap = body.tax_total - Money(body.tax_total.currency, sum(one.minor_units for one in taxes))
    if not gap:
        return []
    allowed = sum(len(line.taxes) for line in body.lines)
    if abs(gap.minor_units) > allowed:
        raise Unbuildable("TAX_DIFFERS", "the source's tax is not what its rates give, by more than a cent a tax line")
    return [InvoiceLine("rounding of tax", 1, gap, books.masters.account(_role(books, "RND")))]


def _roles(books: Books) -> dict[LineKind, str]:
    return _ROLE_RETURNED if books.event.kind is EventKind.ORDER_REFUNDED else _ROLE_SOLD


def _role(books: Books, role: str) -> AccountRole:
    return AccountRole(role, books.event.provider, books.event.account, books.event.amount.currency)


def _journal(books: Books) -> JournalRole:
    return JournalRole("SAL", books.event.provider, books.event.account, books.event.amount.currency)


def _customer(books: Books, party: Party) -> PartyWord:
    return PartyWord(party.issuer or books.event.interface, party.external_id)


def _tax_word(books: Books, title: str, rate: str) -> TaxWord:
    return TaxWord(books.event.provider, books.event.account, title, rate)


def _key(books: Books, object_id: str, effect: str) -> str:
    return effect_key(books.event.company, books.event.provider, books.event.account, object_id, effect)


def _body(books: Books) -> Order | OrderRefund:
    if not isinstance(books.event.body, Order | OrderRefund):
        raise Unbuildable("EVENT_INVALID", "a sale document's event has another body")
    return books.event.body
