"""An amount in one currency."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from libs.errors import ConcordError, Kind

from .currency import exponent_of

_DECIMAL = re.compile(r"(-?)(\d{1,18})(?:\.(\d+))?", re.ASCII)
_LIMIT = 2**63 - 1  # what an int64 of the wire and a BIGINT of the store hold


class BadAmount(ConcordError):
    """The text is not a plain decimal that the currency can hold exactly."""

    kind = Kind.INVALID
    reason = "AMOUNT_INVALID"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """Integer minor units of an ISO 4217 currency. Arithmetic never mixes currencies and never rounds."""

    currency: str
    minor_units: int

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        if not isinstance(self.minor_units, int) or isinstance(self.minor_units, bool):
            raise BadAmount("minor units must be an integer")
        if abs(self.minor_units) > _LIMIT:
            raise BadAmount("amount does not fit 64 bits")

    @classmethod
    def parse(cls, currency: str, text: str) -> Money:
        """Read `-12.34`. Refuses exponents, commas, plus signs, and digits beyond the minor unit that are not zero."""
        match = _DECIMAL.fullmatch(text)
        if match is None:
            raise BadAmount("not a plain decimal amount")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        digits = exponent_of(currency)
        if fraction[digits:].strip("0"):
            raise BadAmount(f"more digits than {currency} has")
        units = int(whole + fraction[:digits].ljust(digits, "0"))
        return cls(currency, -units if sign else units)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(currency, 0)

    @classmethod
    def totals(cls, amounts: Iterable[Money]) -> list[Money]:
        """One sum a currency, in order of currency code."""
        sums: dict[str, int] = {}
        for amount in amounts:
            sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor_units
        return [cls(currency, units) for currency, units in sorted(sums.items())]

    def share(self, part: int, whole: int) -> Money:
        """`self * part / whole`, half away from zero: a proportional part of a carrying balance."""
        if whole == 0:
            raise BadAmount("cannot take a share of nothing")
        product = self.minor_units * part
        quotient, rest = divmod(abs(product), abs(whole))
        units = quotient + (1 if rest * 2 >= abs(whole) else 0)
        return Money(self.currency, units if (product < 0) == (whole < 0) else -units)

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.currency, self.minor_units + other.minor_units)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.currency, self.minor_units - other.minor_units)

    def __neg__(self) -> Money:
        return Money(self.currency, -self.minor_units)

    def __bool__(self) -> bool:
        return self.minor_units != 0

    def decimal(self) -> str:
        """The amount with exactly the currency's digits, for example `-12.30`."""
        digits = exponent_of(self.currency)
        units = str(abs(self.minor_units)).rjust(digits + 1, "0")
        text = f"{units[:-digits]}.{units[-digits:]}" if digits else units
        return f"-{text}" if self.minor_units < 0 else text

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"

    def _same_currency(self, other: Money) -> None:
        if other.currency != self.currency:
            raise BadAmount(f"cannot combine {self.currency} with {other.currency}")
