"""Stripe's words for balance transactions, and its minor units, in the one place that knows them.

Webhooks and polls carry `type` and mostly `reporting_category`; reports carry the category alone. So the category
decides, and a missing one is derived from the type as Stripe's own reference does.
"""

from __future__ import annotations

from typing import NamedTuple

from libs.events import EventKind
from libs.money import Money, exponent_of

# Stripe's minor units are ISO 4217's, but for currencies that it kept or made different.
_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}


class Meaning(NamedTuple):
    """What a category is, by the sign that Stripe gives it: money out, nothing, money in."""

    out: EventKind
    none: EventKind
    back: EventKind


_CAPTURE = Meaning(EventKind.ADJUSTMENT, EventKind.CAPTURE, EventKind.CAPTURE)
_REFUND = Meaning(EventKind.REFUND, EventKind.REFUND, EventKind.ADJUSTMENT)
_REFUND_FAILED = Meaning(EventKind.ADJUSTMENT, EventKind.REFUND_FAILED, EventKind.REFUND_FAILED)
_DISPUTE = Meaning(EventKind.DISPUTE_WITHDRAWN, EventKind.DISPUTE_WITHDRAWN, EventKind.DISPUTE_REINSTATED)
_DISPUTE_REVERSAL = Meaning(EventKind.DISPUTE_WITHDRAWN, EventKind.DISPUTE_REINSTATED, EventKind.DISPUTE_REINSTATED)
_FEE = Meaning(EventKind.FEE, EventKind.FEE, EventKind.FEE_RETURNED)
_RESERVE = Meaning(EventKind.RESERVE_HELD, EventKind.RESERVE_HELD, EventKind.RESERVE_RELEASED)
_PAYOUT = Meaning(EventKind.PAYOUT, EventKind.PAYOUT, EventKind.PAYOUT_RETURNED)
_PAYOUT_REVERSAL = Meaning(EventKind.PAYOUT, EventKind.PAYOUT_RETURNED, EventKind.PAYOUT_RETURNED)
_UNEXPLAINED = Meaning(EventKind.ADJUSTMENT, EventKind.ADJUSTMENT, EventKind.ADJUSTMENT)

# Categories that are not here are unexplained: their money is posted apart, with an exception.
MEANINGS: dict[str, Meaning] = {
    "charge": _CAPTURE,
    "refund": _REFUND,
    # What was authorised and not captured goes back like a refund, but no credit note follows.
    "partial_capture_reversal": _REFUND,
    # A debit or transfer that was booked while pending has failed: the customer owes again.
    "charge_failure": _REFUND,
    "refund_failure": _REFUND_FAILED,
    "dispute": _DISPUTE,
    "dispute_reversal": _DISPUTE_REVERSAL,
    "fee": _FEE,
    "network_cost": _FEE,
    "tax": _FEE,
    "risk_reserved_funds": _RESERVE,
    "connect_reserved_funds": _RESERVE,
    "payment_network_reserve_hold": _RESERVE,
    "payment_network_reserve_release": _RESERVE,
    "payout_minimum_balance_hold": _RESERVE,
    "payout_minimum_balance_release": _RESERVE,
    "payout": _PAYOUT,
    "payout_reversal": _PAYOUT_REVERSAL,
    # Money sent from the bank to Stripe passes through transit as a payout does, the other way.
    "topup": _PAYOUT_REVERSAL,
    "topup_reversal": _PAYOUT,
}

# What a customer paid or got back in their own currency; the others know the balance's currency alone.
PRESENTED = frozenset(
    {
        "charge",
        "refund",
        "partial_capture_reversal",
        "charge_failure",
        "refund_failure",
        "dispute",
        "dispute_reversal",
    }
)

_CATEGORY_OF_TYPE: dict[str, str] = {
    "charge": "charge",
    "payment": "charge",
    "validation": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "payment_failure_refund": "charge_failure",
    "refund_failure": "refund_failure",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "network_cost": "network_cost",
    "tax_fee": "tax",
    "reserved_funds": "risk_reserved_funds",
    "reserve_transaction": "connect_reserved_funds",
    "reserve_hold": "risk_reserved_funds",
    "reserve_release": "risk_reserved_funds",
    "payment_network_reserve_hold": "payment_network_reserve_hold",
    "payment_network_reserve_release": "payment_network_reserve_release",
    "payout_minimum_balance_hold": "payout_minimum_balance_hold",
    "payout_minimum_balance_release": "payout_minimum_balance_release",
    "payout": "payout",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "topup": "topup",
    "topup_reversal": "topup_reversal",
}

_DISPUTE_IDS = ("dp_", "du_")
_REFUND_IDS = ("re_", "pyr_")

_FEE_KINDS = {
    "stripe_fee": "processing",
    "payment_method_passthrough_fee": "processing",
    "network_cost": "processing",
    "application_fee": "application",
    "tax": "tax",
    "withheld_tax": "tax",
}


def category_of(reporting_category: str, provider_type: str, source_id: str) -> str:
    """The reporting category, derived where the channel or its API version does not tell it."""
    if reporting_category:
        return reporting_category
    if provider_type == "adjustment":
        if source_id.startswith(_DISPUTE_IDS):
            return "dispute"
        return "refund_failure" if source_id.startswith(_REFUND_IDS) else "other_adjustment"
    return _CATEGORY_OF_TYPE.get(provider_type, provider_type)


def kind_of(category: str, gross: Money) -> EventKind:
    """What the transaction is; a sign that its category cannot have makes it an unexplained adjustment."""
    meaning = MEANINGS.get(category, _UNEXPLAINED)
    if gross.minor_units == 0:
        return meaning.none
    return meaning.out if gross.minor_units < 0 else meaning.back


def fee_kind(fee_type: str, description: str, category: str) -> str:
    """A `FeeDetail.kind` for one entry of `fee_details`."""
    if fee_type == "stripe_fee":
        if category in ("dispute", "dispute_reversal"):
            return "dispute"
        if "currency conversion" in description.lower():
            return "fx"
    return _FEE_KINDS.get(fee_type, "other")


def money_of(currency: str, units: int) -> Money:
    """Money from Stripe's integer and its lower-case code; raises `UnknownCurrency` or `BadAmount`.

    Stripe writes 5 kronur as 500 ISK and 5 ariary as 5 MGA; a remainder that ISO 4217 cannot hold is refused.
    """
    code = currency.upper()
    digits = _DIGITS.get(code)
    if digits is None or digits == exponent_of(code):
        return Money(code, units)
    sign, text = ("-" if units < 0 else ""), str(abs(units)).rjust(digits + 1, "0")
    whole, fraction = (text[:-digits], text[-digits:]) if digits else (text, "")
    return Money.parse(code, f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}")
