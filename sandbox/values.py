"""Values on their way in: JSON to what the store keeps, refused in Odoo's words."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .env import Env
from .failures import ServerFailure, constraint_error, value_error
from .fields import MICRO, Field, Model


def is_empty(value: Any) -> bool:
    """Odoo's nothing: null, false or an empty text (but zero is a value)."""
    return value is None or value is False or value == ""


def to_micro(value: Any, digits: int | None = None) -> int:
    """Millionths of the currency's unit; rounded half up to `digits`, as Odoo does (10.005 is 10.01)."""
    if value is None or value is False or value == "":
        return 0
    number = Decimal(repr(float(value)))  # float(): refuses text in Python's own words, as Odoo does
    if digits is not None and digits < 6:
        number = number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return int((number * MICRO).to_integral_value(rounding=ROUND_HALF_UP))


def round_micro(amount: Decimal, digits: int) -> int:
    """An exact amount in units, rounded half up to the currency's digits, in millionths."""
    return int(amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP) * MICRO)


def units(micro: int) -> Decimal:
    """A stored amount in units of its currency."""
    return Decimal(micro) / MICRO


def to_day(value: Any) -> str | None:
    """An ISO day; a longer text is cut, a wrong one refused as Python would."""
    if is_empty(value):
        return None
    shown = str(value)[:10]
    try:
        return date.fromisoformat(shown).isoformat()
    except ValueError:
        try:
            return datetime.strptime(shown, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007
        except ValueError as error:
            raise value_error(str(error)) from None


def stored(env: Env, model: Model, name: str, field: Field, value: Any) -> Any:
    """The value as the store keeps it; references are checked to exist."""
    if field.kind == "boolean":
        return int(bool(value))
    if field.kind == "many2one":
        return _reference(env, model, name, field, value)
    try:
        if field.kind == "monetary":
            return to_micro(value)
        if field.kind == "float":
            return _rounded(float(value or 0.0), field.digits)
        if field.kind == "integer":
            return int(value or 0)
    except (ValueError, TypeError) as error:
        raise ServerFailure(f"builtins.{type(error).__name__}", str(error)) from None
    if is_empty(value):
        return None
    if field.kind == "date":
        return to_day(value)
    if field.kind == "selection" and value not in field.selection:
        raise value_error(f"Wrong value for {model.name}.{name}: {value!r}")
    if field.kind == "json":
        return json.dumps(value, sort_keys=True)
    shown = str(value)
    return shown[: field.size] if field.size else shown


def _rounded(number: float, digits: int) -> float:
    if digits < 0:
        return number
    return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


def _reference(env: Env, model: Model, name: str, field: Field, value: Any) -> int | None:
    if is_empty(value):
        return None
    if isinstance(value, list | tuple):
        value = value[0]
    try:
        record_id = int(value)
    except (ValueError, TypeError):
        raise value_error(f"Invalid value for {model.name}.{name}: {value!r}") from None
    relation = env.model(field.relation)
    if env.store.one(f"SELECT 1 FROM {relation.table} WHERE id = ?", (record_id,)) is None:  # noqa: S608
        raise broken_reference(env, model, name, field)
    return record_id


def broken_reference(env: Env, model: Model, name: str, field: Field) -> ServerFailure:
    """Odoo's own, misleading words: it speaks of deletion though nothing is deleted."""
    if env.version < 19:
        return constraint_error(
            "another model requires the record being deleted. If possible, archive it instead.\n\n"
            f"Model: {model.label} ({model.name})\nConstraint: {model.table}_{name}_fkey\n"
        )
    return constraint_error(
        "Another model is using the record you are trying to delete.\n\n"
        f"The troublemaker is: '{model.label}' ({model.name})\n"
        f"Thanks to the following constraint: '{field.label}' ({name})\n"
        "How about archiving the record instead?"
    )
