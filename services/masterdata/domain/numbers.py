"""Decimal texts in one spelling, so that equal rates are equal texts."""

from __future__ import annotations

import re
from decimal import Decimal

_PLAIN = re.compile(r"-?\d{1,18}(?:\.\d{1,30})?", re.ASCII)


def decimal_text(number: Decimal) -> str:
    """The shortest plain spelling: `0.08`, never `0.080` or `8E-2`."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def same_spelling(text: str) -> str:
    """The text's number in that spelling. Raises ValueError where it is none."""
    if _PLAIN.fullmatch(text) is None:
        raise ValueError("not a plain decimal number")
    return decimal_text(Decimal(text))
