"""Reads Stripe's objects into values: amounts are integers in Stripe's minor units, times are Unix seconds."""

from __future__ import annotations

from decimal import Decimal

from libs.errors import ConcordError
from libs.events import FeeDetail, Reference
from libs.money import BadAmount, Money, exponent_of
from providers.errors import AmountInvalid, ShapeInvalid
from providers.reading import Shape

from .events import StripeTransaction, order_references, stripe_reference
from .words import PRESENTED, category_of, fee_kind, money_of

ISSUED_IDS = ("id", "payment_intent", "charge", "customer", "invoice")
# Far wider than a rate's rounding, far narrower than the share of one capture among several.
_RATE_TOLERANCE = Decimal("0.002")


class PresentmentUnknown(ConcordError):
    """A converted transaction whose source is not at hand, or tells of more than this one movement.

    The poll, which expands the source, or the settlement file, which bears each movement's own amount, must tell.
    """

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
    return StripeTransaction(
        id=shape.text("id"),
        category=category,
        provider_type=provider_type,
        source_id=source_id,
        gross=gross,
        fee=fee,
        created=shape.instant("created"),
        available_on=shape.instant("available_on").date() if shape.has("available_on") else None,
        customer_paid=_customer_paid(shape, source, gross) if category in PRESENTED else None,
        customer_id=source.reference("customer") if source else "",
        fee_details=_fee_details(shape, fee, category),
        references=references(source, issuer) if source else (),
    )


def _customer_paid(shape: Shape, source: Shape | None, gross: Money) -> Money | None:
    """What the customer paid or got back by this movement; None where nobody says and nothing is converted.

    A charge that is captured in parts has one amount and several movements: only what the rate confirms is taken, or
    the customer would be credited with the whole by each part, and the gap pass for an exchange loss.
    """
    if source is None:
        if shape.has("exchange_rate"):
            raise PresentmentUnknown("a converted transaction without its source")
        return None
    stated = [money(source, key) for key in ("amount", "amount_captured") if source.has(key)]
    if not stated or stated[0].currency == gross.currency or not shape.has("exchange_rate"):
        return money(source, "amount")
    rate = Decimal(shape.rate("exchange_rate"))
    for amount in stated:
        if _is_worth(amount, gross, rate):
            return amount
    raise PresentmentUnknown("the source's amount is not what this transaction converts")


def _is_worth(paid: Money, gross: Money, rate: Decimal) -> bool:
    """Whether `paid` at `rate` is `gross`, to the rounding of both; the rate may be of major or of minor units."""
    converted = abs(paid.minor_units) * rate
    shift = Decimal(10) ** (exponent_of(gross.currency) - exponent_of(paid.currency))
    units = abs(gross.minor_units)
    return any(abs(decimal - units) <= 1 + units * _RATE_TOLERANCE for decimal in (converted, converted * shift))


def references(shape: Shape, issuer: str) -> tuple[Reference, ...]:
    """What the object names: itself, its payment, charge, customer, invoice, and the shop's order."""
    named = (stripe_reference(shape.reference(key), issuer) for key in ISSUED_IDS)
    charge = shape.maybe_shape("charge")
    orders = order_references({**(charge.words("metadata") if charge else {}), **shape.words("metadata")})
    return tuple(dict.fromkeys([*orders, *(reference for reference in named if reference)]))


def _fee_details(shape: Shape, fee: Money, category: str) -> tuple[FeeDetail, ...]:
    details = tuple(
        FeeDetail(
            fee_kind(detail.maybe_text("type"), detail.maybe_text("description"), category), money(detail, "amount")
        )
        for detail in shape.shapes("fee_details")
    )
    if details and Money.totals(detail.amount for detail in details) != [fee]:
        raise AmountInvalid("fee_details do not add up to the fee", field=f"{shape.path}.fee_details")
    return details
