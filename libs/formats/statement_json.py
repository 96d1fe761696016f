"""Statement values as JSON: for `concord inspect` and for golden files. What is absent is left out."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum

from libs.money import Money


def to_json(value: object) -> object:
    """A statement value as JSON types; money is `{"amount": "-1.20", "currency": "EUR"}`."""
    if isinstance(value, Money):
        return {"amount": value.decimal(), "currency": value.currency}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: to_json(item) for name, item in pairs if item is not None and item != ()}
    return value
