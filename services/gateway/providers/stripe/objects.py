"""Reads Stripe's objects into values: amounts are integers in Stripe's minor units, times are Unix seconds."""

from __future__ import annotations

from libs.errors import ConcordError
from libs.events import FeeDetail, Reference
from libs.formats.stripe_events import StripeTransaction, order_references, stripe_reference
from libs.formats.stripe_words import PRESENTED, category_of, fee_kind, money_of
from libs.money import BadAmount, Money

from ...domain.errors import AmountInvalid, ShapeInvalid
from ..reading import Shape

ISSUED_IDS = ("id", "payment_intent", "charge", "customer", "invoice")


class PresentmentUnknown(ConcordError):
    """A converted transaction whose source object is not at hand: the poll, which expands it, must tell."""

    reason = "PRESENTMENT_UNKNOWN"


def money(shape: Shape, key: str, currency_key: str = "currency") -> Money:
    """Raises `AmountInvalid` for anything but an integer, `UnknownCurrency` for an unknown code."""
    currency = shape.text(currency_key)
    try:
        units = shape.integer(key)
        return money_of(currency, units)
    except (ShapeInvalid, BadAmount):
        place = f"{shape.path}.{key}" if shape.path else key
        raise AmountInvalid(f"{place} must be an integer of minor units", field=place) from None


def transaction(shape: Shape, source: Shape | None, issuer: str) -> StripeTransaction:
    """A balance transaction. `source` is the charge, refund, dispute or payout behind it, if it is at hand.

    Raises `ShapeInvalid` where it contradicts itself and `PresentmentUnknown` where the source is missed.
    """
    gross, fee, net = (money(shape, key) for key in ("amount", "fee", "net"))
    if gross - fee != net:
        raise AmountInvalid("a balance transaction's net is not its amount less its fee", field=f"{shape.path}.net")
    named = shape.reference("source")
    if source and named not in ("", source.text("id")):
        source = None
    source = shape.maybe_shape("source") or source
    source_id = source.text("id") if source else named
    provider_type = shape.text("type")
    category = category_of(shape.maybe_text("reporting_category"), provider_type, source_id)
    paid = money(source, "amount") if source and category in PRESENTED else None
    if paid is None and category in PRESENTED and shape.has("exchange_rate"):
        raise PresentmentUnknown("a converted transaction without its source")
    return StripeTransaction(
        id=shape.text("id"),
        category=category,
        provider_type=provider_type,
        source_id=source_id,
        gross=gross,
        fee=fee,
        created=shape.instant("created"),
        available_on=shape.instant("available_on").date() if shape.has("available_on") else None,
        customer_paid=paid,
        customer_id=source.reference("customer") if source else "",
        fee_details=_fee_details(shape, fee, category),
        references=references(source, issuer) if source else (),
    )


def references(shape: Shape, issuer: str) -> tuple[Reference, ...]:
    """What the object names: itself, its payment, charge, customer, invoice, and the shop's order."""
    named = (stripe_reference(shape.reference(key), issuer) for key in ISSUED_IDS)
    charge = shape.maybe_shape("charge")
    orders = order_references({**(charge.words("metadata") if charge else {}), **shape.words("metadata")})
    return tuple(dict.fromkeys([*orders, *(one for one in named if one)]))


def _fee_details(shape: Shape, fee: Money, category: str) -> tuple[FeeDetail, ...]:
    details = tuple(
        FeeDetail(fee_kind(one.maybe_text("type"), one.maybe_text("description"), category), money(one, "amount"))
        for one in shape.shapes("fee_details")
    )
    if details and Money.totals(one.amount for one in details) != [fee]:
        raise AmountInvalid("fee_details do not add up to the fee", field=f"{shape.path}.fee_details")
    return details
