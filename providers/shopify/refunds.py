"""A Shopify refund's body: the credit note, once money went back. Amounts are positive."""

from __future__ import annotations

from libs.events import (
    CommercialDocument,
    DocumentLine,
    Event,
    EventKind,
    Evidence,
    LineKind,
    Party,
    Reference,
    ReferenceKind,
    TaxLine,
    event_name,
)
from libs.money import Money
from providers.base import Delivery
from providers.errors import TotalUnexplained
from providers.reading import Shape

from .amounts import amount, currency_of, maybe_amount, shared, tax_lines, total

TRANSLATOR = "shopify/1"
# Goods are taken back by one refund without money, the money goes back by another one without goods.
_PENDING = "Pending refund discrepancy"


def is_refund(body: Shape) -> bool:
    """A refund's body, whatever the topic claims."""
    return body.has("order_id") and body.has("refund_line_items") and body.has("transactions")


def is_test(body: Shape) -> bool:
    """Whether the refund is a trial: it bears no flag of its own, its transactions do."""
    return any(shape.maybe_flag("test") for shape in body.shapes("transactions"))


def refund_event(delivery: Delivery, body: Shape, order: Shape | None = None) -> Event | None:
    """The credit note, or evidence of a refund whose money has not gone back; None if there was no money at all.

    `order` is the order whose message lists it, if it came that way; nothing of the digest depends on it.
    """
    paid = [shape for shape in body.shapes("transactions") if shape.maybe_text("kind") == "refund"]
    succeeded = [shape for shape in paid if shape.maybe_text("status") == "success"]
    if not paid:
        return None  # goods taken back of an order that was never paid
    if not succeeded:
        return _evidence(delivery, body, paid)
    document = currency_of(succeeded[0].text("currency"))
    back = total((shape.decimal_money("amount", document) for shape in _in(succeeded, document)), document)
    lines = _lines(body, document, back)
    tax = total((tax.amount for line in lines for tax in line.taxes), document)
    refund_id, issuer = body.identifier("id"), delivery.source.interface
    customer = order.maybe_shape("customer") if order else None
    customer_id = customer.identifier("id") if customer and customer.has("id") else ""
    number = order.maybe_text("name").removeprefix("#") if order else ""
    return Event(
        name=event_name("shopify", delivery.source.account, f"refund-{refund_id}"),
        kind=EventKind.DOCUMENT,
        company=delivery.source.company,
        object_id=refund_id,
        effective_at=body.iso_instant("created_at"),
        amount=back,
        body=CommercialDocument.refunded(
            body.identifier("order_id"), number, Party(customer_id, issuer), lines, back, tax
        ),
        provenance=delivery.provenance(TRANSLATOR, "refund", refund_id),
        references=_references(body, issuer),
    )


def _in(transactions: list[Shape], document: str) -> list[Shape]:
    for transaction in transactions:
        if transaction.text("currency") != document:
            raise TotalUnexplained("a refund in two currencies", field=f"{transaction.path}.currency")
    return transactions


def _evidence(delivery: Delivery, body: Shape, paid: list[Shape]) -> Event:
    refund_id = body.identifier("id")
    currency = currency_of(paid[0].text("currency"))
    return Event(
        name=event_name("shopify", delivery.source.account, f"refund-{refund_id}-{delivery.sha256[:16]}"),
        kind=EventKind.EVIDENCE,
        company=delivery.source.company,
        object_id=refund_id,
        effective_at=body.iso_instant("created_at"),
        amount=total((shape.decimal_money("amount", currency) for shape in _in(paid, currency)), currency),
        body=Evidence(type=f"refund.{paid[0].maybe_text('status')[:64] or 'pending'}"),
        provenance=delivery.provenance(TRANSLATOR, "refund", refund_id),
        references=_references(body, delivery.source.interface),
    )


def _references(body: Shape, issuer: str) -> tuple[Reference, ...]:
    return (
        Reference(ReferenceKind.ORDER, body.identifier("order_id"), issuer),
        Reference(ReferenceKind.REFUND, body.identifier("id"), issuer),
    )


def _lines(body: Shape, document: str, back: Money) -> tuple[DocumentLine, ...]:
    """The lines that make up the money; raises `TotalUnexplained` if none do.

    A refund does not say whether its subtotals hold the tax: the money that went back decides.
    """
    for included in (False, True):
        lines = _goods(body, document, included) + _shipping(body, document) + _discrepancies(body, document)
        amounts = [line.net for line in lines] + [tax.amount for line in lines for tax in line.taxes]
        if total(amounts, document) == back:
            return lines
    raise TotalUnexplained("the refund's lines do not add up to the money that went back", field="transactions")


def _goods(body: Shape, document: str, included: bool) -> tuple[DocumentLine, ...]:
    lines: list[DocumentLine] = []
    for shape in body.shapes("refund_line_items"):
        item = shape.shape("line_item")
        subtotal = _plain(shape, "subtotal", document)
        tax = _plain(shape, "total_tax", document)
        taxes = shared(tax_lines(item, document, document), tax)
        lines.append(
            DocumentLine(
                kind=LineKind.GIFT_CARD if item.maybe_flag("gift_card") else LineKind.PRODUCT,
                description=item.maybe_text("name") or item.maybe_text("title"),
                sku=item.maybe_text("sku"),
                quantity=str(shape.integer("quantity")),
                net=subtotal - tax if included else subtotal,
                taxes=taxes,
            )
        )
    return tuple(lines)


def _shipping(body: Shape, document: str) -> tuple[DocumentLine, ...]:
    """Shipping given back: `order_adjustments`, whose amounts are negative and without tax."""
    lines: list[DocumentLine] = []
    for shape in body.shapes("order_adjustments"):
        if shape.maybe_text("kind") == "shipping_refund":
            tax = -maybe_amount(shape, "tax_amount", document, document)
            net = -amount(shape, "amount", document, document)
            lines.append(
                DocumentLine(LineKind.SHIPPING, "Shipping", net, taxes=shared(_shipping_taxes(body, document), tax))
            )
    return tuple(lines) or _shipping_lines(body, document)


def _shipping_lines(body: Shape, document: str) -> tuple[DocumentLine, ...]:
    """The same of newer messages (since October 2024), which have no such adjustment but the lines themselves."""
    lines: list[DocumentLine] = []
    for shape in body.shapes("refund_shipping_lines"):
        if shape.has("subtotal_amount_set"):
            line = shape.maybe_shape("shipping_line")
            taxes = tax_lines(line, document, document) if line else ()
            tax = maybe_amount(shape, "tax_amount", document, document)
            net = amount(shape, "subtotal_amount", document, document)
            lines.append(DocumentLine(LineKind.SHIPPING, "Shipping", net, taxes=shared(taxes, tax)))
    return tuple(lines)


def _shipping_taxes(body: Shape, document: str) -> tuple[TaxLine, ...]:
    """The names of shipping's taxes, where the message has them."""
    return tuple(
        tax
        for shape in body.shapes("refund_shipping_lines")
        if (line := shape.maybe_shape("shipping_line"))
        for tax in tax_lines(line, document, document)
    )


def _discrepancies(body: Shape, document: str) -> tuple[DocumentLine, ...]:
    """Money given back for no line in particular, or kept: `refund_discrepancy`, negative where given."""
    lines: list[DocumentLine] = []
    for shape in body.shapes("order_adjustments"):
        if shape.maybe_text("kind") != "shipping_refund":
            tax = -maybe_amount(shape, "tax_amount", document, document)
            net = -amount(shape, "amount", document, document)
            taxes = shared((), tax)
            if shape.maybe_text("reason") == _PENDING and net.minor_units > 0 and not taxes:
                taxes = (TaxLine("", "", tax),)  # of what was taken back before: only that refund knows its tax
            lines.append(DocumentLine(LineKind.PRODUCT, "Refund adjustment", net, taxes=taxes))
    return tuple(lines)


def _plain(shape: Shape, key: str, document: str) -> Money:
    """Newer messages give these amounts as JSON numbers; the set beside them is text."""
    if shape.has(f"{key}_set"):
        return amount(shape, key, document, document)
    return shape.number_money(key, document)
