"""A Shopify order's body: the sale document once it is paid, evidence before, and the refunds listed in it."""

from __future__ import annotations

from dataclasses import replace

from libs.errors import ConcordError
from libs.events import (
    CommercialDocument,
    DocumentLine,
    DocumentReference,
    DocumentReferenceKind,
    Event,
    EventKind,
    Evidence,
    ExternalId,
    LineKind,
    Party,
    Reference,
    ReferenceKind,
    event_name,
)
from libs.money import Money
from providers.base import Delivery, Problem, Translation
from providers.errors import AmountInvalid, TotalUnexplained
from providers.reading import Shape

from .amounts import allowances, amount, currency_of, maybe_amount, tax_lines, total
from .refunds import TRANSLATOR, refund_event
from .spreading import with_order_discount, with_order_taxes
from .tenders import tenders

# Only an explicit success counts: any other status, unknown ones too, is pending.
PAID = frozenset({"paid", "partially_refunded", "refunded"})
LIVEMODE_MISMATCH = "LIVEMODE_MISMATCH"


def is_order(body: Shape) -> bool:
    """An order's body, whatever the topic claims."""
    return body.has("line_items") and body.has("financial_status") and body.has("order_number")


def translate_order(delivery: Delivery, body: Shape) -> Translation:
    """Raises `ShapeInvalid` or `UnknownCurrency` where the order itself cannot be read."""
    if delivery.source.livemode and body.maybe_flag("test"):
        return Translation(ignored=LIVEMODE_MISMATCH)
    if body.text("financial_status") not in PAID:
        return Translation(events=(_evidence(delivery, body),))
    events = [_paid(delivery, body)]
    problems: list[Problem] = []
    for refund in body.shapes("refunds"):
        try:
            found = refund_event(delivery, refund, order=body)
        except ConcordError as error:
            problems.append(Problem(error.reason, str(error)))
            continue
        if found and found.kind is EventKind.DOCUMENT:
            events.append(found)
    return Translation(events=tuple(events), problems=tuple(problems))


def _paid(delivery: Delivery, body: Shape) -> Event:
    shop = currency_of(body.text("currency"))
    document = currency_of(body.maybe_text("presentment_currency") or shop)
    lines = _lines(body, document, shop)
    owed = amount(body, "total_price", document, shop)
    tax = maybe_amount(body, "total_tax", document, shop)
    if not body.maybe_flag("taxes_included"):
        lines = with_order_discount(lines, maybe_amount(body, "total_discounts", document, shop), owed - tax)
        lines = with_order_taxes(lines, tax_lines(body, document, shop))
    lines = _explained(body, lines, owed, tax, document, shop)
    order_id, issuer = body.identifier("id"), delivery.source.interface
    customer = customer_of(body, issuer)
    return Event(
        name=event_name("shopify", delivery.source.account, f"order-{order_id}-paid"),
        kind=EventKind.DOCUMENT,
        company=delivery.source.company,
        object_id=order_id,
        effective_at=body.iso_instant("processed_at" if body.has("processed_at") else "created_at"),
        amount=owed,
        body=replace(
            CommercialDocument.sold(number_of(body), customer, lines, owed, tax),
            tenders=tenders(body, owed),
            references=_ordered_as(body),
        ),
        provenance=delivery.provenance(TRANSLATOR, "order", order_id, source_version=body.maybe_text("updated_at")),
        references=references_of(body, issuer),
    )


def _evidence(delivery: Delivery, body: Shape) -> Event:
    """An order that is not paid (yet): counted, so that its silence is not taken for a loss."""
    order_id = body.identifier("id")
    shop = currency_of(body.text("currency"))
    document = currency_of(body.maybe_text("presentment_currency") or shop)
    return Event(
        name=event_name("shopify", delivery.source.account, f"order-{order_id}-{delivery.sha256[:16]}"),
        kind=EventKind.EVIDENCE,
        company=delivery.source.company,
        object_id=order_id,
        effective_at=body.iso_instant("updated_at" if body.has("updated_at") else "created_at"),
        amount=amount(body, "total_price", document, shop),
        body=Evidence(type=f"order.{body.text('financial_status')[:64]}"),
        provenance=delivery.provenance(TRANSLATOR, "order", order_id, source_version=body.maybe_text("updated_at")),
        references=references_of(body, delivery.source.interface),
    )


def number_of(body: Shape) -> str:
    """The number that people see, without the hash sign."""
    return body.maybe_text("name").removeprefix("#") or str(body.integer("order_number"))


def references_of(body: Shape, issuer: str) -> tuple[Reference, ...]:
    customer = body.maybe_shape("customer")
    found = [
        Reference(ReferenceKind.ORDER, body.identifier("id"), issuer),
        Reference(ReferenceKind.ORDER, number_of(body), issuer),
    ]
    if customer and customer.has("id"):
        found.append(Reference(ReferenceKind.CUSTOMER, customer.identifier("id"), issuer))
    return tuple(dict.fromkeys(found))


def customer_of(body: Shape, issuer: str) -> Party:
    """The buyer; a guest has no id. Name and country as the invoice address gives them, a company's id beside them."""
    customer = body.maybe_shape("customer")
    address = body.maybe_shape("billing_address") or body.maybe_shape("shipping_address")
    names = [customer.maybe_text(key) for key in ("first_name", "last_name")] if customer else []
    company = body.maybe_shape("company")
    written = (address.maybe_text("company") or address.maybe_text("name")) if address else ""
    return Party(
        external_id=customer.identifier("id") if customer and customer.has("id") else "",
        issuer=issuer,
        display_name=written or " ".join(name for name in names if name),
        country=address.maybe_text("country_code") if address else "",
        email=body.maybe_text("contact_email") or body.maybe_text("email"),
        other_ids=(ExternalId(company.identifier("id"), issuer),) if company and company.has("id") else (),
    )


def _ordered_as(body: Shape) -> tuple[DocumentReference, ...]:
    """The buyer's own purchase order, where they gave one."""
    number = body.maybe_text("po_number")
    return (DocumentReference(DocumentReferenceKind.ORDER, number=number),) if number else ()


def _lines(body: Shape, document: str, shop: str) -> tuple[DocumentLine, ...]:
    included = body.maybe_flag("taxes_included")
    lines: list[DocumentLine] = []
    for item in body.shapes("line_items"):
        quantity = item.integer("quantity")
        gross = amount(item, "price", document, shop)
        taken = allowances(item, document, shop)
        charged = total((each.signed for each in taken), document) + Money(document, gross.minor_units * quantity)
        line = _line(item, _kind(item), str(quantity), charged, included, document, shop)
        # A price or a discount that holds the tax is none of a net line.
        lines.append(line if included else replace(line, unit_price=gross.decimal(), adjustments=taken))
        lines += [_duty(duty, document) for duty in item.shapes("duties")]
    for item in body.shapes("shipping_lines"):
        if item.maybe_flag("is_removed"):
            continue  # an edit took it off: it stays in the list
        taken = allowances(item, document, shop)
        charged = total((each.signed for each in taken), document) + amount(item, "price", document, shop)
        line = _line(item, LineKind.SHIPPING, "1", charged, included, document, shop)
        if line.net or line.taxes:
            lines.append(line if included else replace(line, adjustments=taken))
    return tuple(lines)


def _duty(duty: Shape, document: str) -> DocumentLine:
    """The customs duty of an article, which the shop collects. Raises `AmountInvalid`."""
    for side in ("presentment_money", "shop_money"):
        found = duty.maybe_shape(side)
        if found and found.maybe_text("currency_code") == document:
            owed = found.decimal_money("amount", document)
            return DocumentLine(LineKind.DUTY, "Duty", owed, taxes=tax_lines(duty, document, document))
    raise AmountInvalid(f"{duty.path} is not given in {document}", field=duty.path)


def _line(
    item: Shape, kind: LineKind, quantity: str, charged: Money, included: bool, document: str, shop: str
) -> DocumentLine:
    taxes = tax_lines(item, document, shop)
    net = charged - total((tax.amount for tax in taxes), document) if included else charged
    return DocumentLine(
        id=item.identifier("id") if item.has("id") else "",
        kind=kind,
        description=item.maybe_text("name") or item.maybe_text("title"),
        sku=item.maybe_text("sku"),
        quantity=quantity,
        net=net,
        taxes=taxes,
    )


def _kind(item: Shape) -> LineKind:
    return LineKind.GIFT_CARD if item.maybe_flag("gift_card") else LineKind.PRODUCT


def _explained(
    body: Shape, lines: tuple[DocumentLine, ...], owed: Money, tax: Money, document: str, shop: str
) -> tuple[DocumentLine, ...]:
    """The lines, with the tip if that is what is missing; raises `TotalUnexplained` if anything else is.

    Taxes are rounded a line, the order's total may be rounded once: a cent a tax line is the ledger's to round off.
    """
    taxes = [tax_line.amount for line in lines for tax_line in line.taxes]
    tolerance = len(taxes)
    known = total([line.net for line in lines] + taxes, document)
    tip = maybe_amount(body, "total_tip_received", document, shop)
    if tip and owed - known == tip:
        lines = (*lines, DocumentLine(LineKind.TIP, "Tip", tip))
        known = known + tip
    if abs((owed - known).minor_units) > tolerance:
        raise TotalUnexplained("the order's lines and taxes do not add up to its total", field="total_price")
    if abs((tax - total(taxes, document)).minor_units) > tolerance:
        raise TotalUnexplained("the lines' taxes do not add up to the order's tax", field="total_tax")
    return lines
