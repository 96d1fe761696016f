"""Money: exact text in, exact text out, no rounding, no mixing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.errors import ConcordError
from libs.money import CURRENCIES, Money


@pytest.mark.parametrize(
    ("currency", "text", "units"),
    [("EUR", "12.34", 1234), ("EUR", "-12.3", -1230), ("JPY", "5", 5), ("JPY", "5.00", 5), ("BHD", "0.001", 1),
     ("USD", "1.2300", 123), ("CLF", "0.0001", 1)],
)  # fmt: skip
def test_plain_decimals_are_read_exactly(currency: str, text: str, units: int) -> None:
    assert Money.parse(currency, text) == Money(currency, units)


@pytest.mark.parametrize(
    ("currency", "text", "reason"),
    [("EUR", "1e2", "AMOUNT_INVALID"), ("EUR", "1,00", "AMOUNT_INVALID"), ("EUR", "+1", "AMOUNT_INVALID"),
     ("EUR", "1.005", "AMOUNT_INVALID"), ("JPY", "1.5", "AMOUNT_INVALID"), ("EUR", "", "AMOUNT_INVALID"),
     ("EUR", "9" * 18 + "." + "99", "AMOUNT_INVALID"), ("EUR", "NaN", "AMOUNT_INVALID"), ("EUR", "١", "AMOUNT_INVALID"),
     ("XXX", "1", "CURRENCY_UNKNOWN"), ("eur", "1", "CURRENCY_UNKNOWN")],
)  # fmt: skip
def test_anything_else_is_refused(currency: str, text: str, reason: str) -> None:
    with pytest.raises(ConcordError) as refused:
        Money.parse(currency, text)
    assert refused.value.reason == reason


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(-(10**17), 10**17))
def test_text_and_units_agree_both_ways(currency: str, units: int) -> None:
    assert Money.parse(currency, Money(currency, units).decimal()).minor_units == units


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_shares_are_off_by_less_than_a_minor_unit_each(units: int, parts: list[int]) -> None:
    whole = sum(parts)
    total = sum(Money("USD", units).share(part, whole).minor_units for part in parts)
    assert abs(total - units) <= len(parts) / 2


def test_currencies_never_mix() -> None:
    with pytest.raises(ConcordError):
        Money("USD", 1) + Money("EUR", 1)
