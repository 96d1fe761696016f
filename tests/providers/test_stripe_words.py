"""What Stripe's words and integers mean, one row each."""

from __future__ import annotations

import pytest

from libs.errors import ConcordError
from libs.events import EventKind, Reference, ReferenceKind
from libs.money import BadAmount, Money, UnknownCurrency
from providers.stripe.events import order_references, stripe_reference
from providers.stripe.words import MEANINGS, category_of, fee_kind, kind_of, money_of


@pytest.mark.parametrize(
    "currency, units, expected",
    [
        ("usd", 1050, "10.50 USD"),
        ("USD", -1, "-0.01 USD"),
        ("jpy", 5000, "5000 JPY"),
        ("kwd", 5230, "5.230 KWD"),
        ("isk", 500, "5 ISK"),
        ("ugx", 120000, "1200 UGX"),
        ("ugx", -100, "-1 UGX"),
        ("mga", 5, "5.00 MGA"),
        ("huf", 1000, "10.00 HUF"),
        ("twd", 1000, "10.00 TWD"),
        ("isk", 50, BadAmount),
        ("zzz", 1, UnknownCurrency),
        ("", 1, UnknownCurrency),
        ("usd", 2**63, BadAmount),
    ],
)
def test_minor_units_are_read_as_stripe_writes_them(
    currency: str, units: int, expected: str | type[ConcordError]
) -> None:
    if isinstance(expected, str):
        assert str(money_of(currency, units)) == expected
    else:
        with pytest.raises(expected):
            money_of(currency, units)


@pytest.mark.parametrize(
    "told, provider_type, source, category",
    [
        ("dispute", "adjustment", "dp_1", "dispute"),
        ("", "adjustment", "dp_1", "dispute"),
        ("", "adjustment", "du_1", "dispute"),
        ("", "adjustment", "re_1", "refund_failure"),
        ("", "adjustment", "", "other_adjustment"),
        ("", "payment", "py_1", "charge"),
        ("", "payment_refund", "pyr_1", "refund"),
        ("", "payment_failure_refund", "py_1", "charge_failure"),
        ("", "payout_cancel", "po_1", "payout_reversal"),
        ("", "of_the_future", "x_1", "of_the_future"),
    ],
)
def test_a_missing_category_follows_from_the_type(told: str, provider_type: str, source: str, category: str) -> None:
    assert category_of(told, provider_type, source) == category


MEANT = [
    ("charge", "adjustment", "capture", "capture"),
    ("refund", "refund", "refund", "adjustment"),
    ("partial_capture_reversal", "refund", "refund", "adjustment"),
    ("charge_failure", "refund", "refund", "adjustment"),
    ("refund_failure", "adjustment", "refund_failed", "refund_failed"),
    ("dispute", "dispute_withdrawn", "dispute_withdrawn", "dispute_reinstated"),
    ("dispute_reversal", "dispute_withdrawn", "dispute_reinstated", "dispute_reinstated"),
    ("fee", "fee", "fee", "fee_returned"),
    ("network_cost", "fee", "fee", "fee_returned"),
    ("tax", "fee", "fee", "fee_returned"),
    ("risk_reserved_funds", "reserve_held", "reserve_held", "reserve_released"),
    ("connect_reserved_funds", "reserve_held", "reserve_held", "reserve_released"),
    ("payment_network_reserve_hold", "reserve_held", "reserve_held", "reserve_released"),
    ("payment_network_reserve_release", "reserve_held", "reserve_held", "reserve_released"),
    ("payout_minimum_balance_hold", "reserve_held", "reserve_held", "reserve_released"),
    ("payout_minimum_balance_release", "reserve_held", "reserve_held", "reserve_released"),
    ("payout", "payout", "payout", "payout_returned"),
    ("payout_reversal", "payout", "payout_returned", "payout_returned"),
    ("topup", "payout", "payout_returned", "payout_returned"),
    ("topup_reversal", "payout", "payout", "payout_returned"),
    ("of_the_future", "adjustment", "adjustment", "adjustment"),
]


@pytest.mark.parametrize("category, out, nothing, back", MEANT)
def test_a_category_and_its_sign_decide_the_kind(category: str, out: str, nothing: str, back: str) -> None:
    found = [kind_of(category, Money("USD", units)) for units in (-1, 0, 1)]
    assert found == [EventKind(out), EventKind(nothing), EventKind(back)]


def test_every_category_has_its_row_above() -> None:
    assert set(MEANINGS) == {row[0] for row in MEANT} - {"of_the_future"}


@pytest.mark.parametrize(
    "fee_type, description, category, kind",
    [
        ("stripe_fee", "Stripe processing fees", "charge", "processing"),
        ("stripe_fee", "Stripe currency conversion fee", "charge", "fx"),
        ("stripe_fee", "Dispute fee", "dispute", "dispute"),
        ("payment_method_passthrough_fee", "", "charge", "processing"),
        ("application_fee", "", "charge", "application"),
        ("tax", "", "charge", "tax"),
        ("withheld_tax", "", "charge", "tax"),
        ("of_the_future", "", "charge", "other"),
    ],
)
def test_a_fee_s_kind(fee_type: str, description: str, category: str, kind: str) -> None:
    assert fee_kind(fee_type, description, category) == kind


@pytest.mark.parametrize(
    "object_id, kind",
    [
        ("ch_1", ReferenceKind.PAYMENT),
        ("py_1", ReferenceKind.PAYMENT),
        ("pi_1", ReferenceKind.PAYMENT),
        ("re_1", ReferenceKind.REFUND),
        ("pyr_1", ReferenceKind.REFUND),
        ("dp_1", ReferenceKind.DISPUTE),
        ("du_1", ReferenceKind.DISPUTE),
        ("po_1", ReferenceKind.PAYOUT),
        ("cus_1", ReferenceKind.CUSTOMER),
        ("in_1", ReferenceKind.INVOICE),
        ("txn_1", ReferenceKind.BALANCE_TRANSACTION),
        ("fee_1", None),
        ("ch", None),
        ("", None),
    ],
)
def test_an_id_tells_what_it_names(object_id: str, kind: ReferenceKind | None) -> None:
    found = stripe_reference(object_id, "stripe/acct_1")
    assert found == (Reference(kind, object_id, "stripe/acct_1") if kind else None)


def test_the_shop_s_order_is_read_from_the_metadata_once() -> None:
    found = order_references({"order_id": "5001", "order_number": "#1001", "other": "x"})
    assert [one.value for one in found] == ["5001", "1001"]
    assert order_references({"order_id": " ", "order_number": ""}) == ()
    assert len(order_references({"order_id": "1001", "order_number": "#1001"})) == 1
