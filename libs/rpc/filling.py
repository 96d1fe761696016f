"""Messages out of values of the same shape, by the message's descriptor."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date
from functools import cache
from typing import Any, TypeVar, cast

from concord.money.v1 import money_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from .scalars import from_money, from_time

M = TypeVar("M", bound=Message)

# AIP-143 has codes of lists end in `_code`; in the code they are what they name.
_CODES = frozenset({"country_code", "currency_code", "unit_code"})


def filled(kind: type[M], value: object, **given: Any) -> M:
    """A message with the fields that are given, and each other one from the value's attribute of that name.

    `currency_code` is the attribute `currency`. Money, instants, dates, enums and dataclasses become what the field
    takes; None leaves it unset. Raises `AttributeError` for a field that is neither: none is forgotten.
    """
    fields = {}
    for name, attribute, convert in _fields(cast("Hashable", kind)):
        found = given[name] if name in given else getattr(value, attribute)
        if found or (found is not None and found.__class__ not in _NOTHING):
            fields[name] = convert(found)
    return kind(**given | fields)


def attribute_of(field: str) -> str:
    """A field's attribute."""
    return field.removesuffix("_code") if field in _CODES else field


_NOTHING = (str, tuple)  # an empty one is what an unset field says


@cache
def _fields(kind: Any) -> tuple[tuple[str, str, Callable[[Any], Any]], ...]:
    """Each field, its attribute, and what makes the attribute's value the field's."""
    return tuple((field.name, attribute_of(field.name), _converter(field)) for field in kind.DESCRIPTOR.fields)


def _converter(field: Any) -> Callable[[Any], Any]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict
    convert = _item_converter(field)
    return (lambda values: [convert(value) for value in values]) if field.is_repeated else convert


def _item_converter(field: Any) -> Callable[[Any], Any]:
    if field.enum_type is not None:
        prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
        numbers = {value.name.removeprefix(prefix): value.number for value in field.enum_type.values}
        return lambda member: numbers[member._name_]
    if field.message_type is None:
        return lambda value: value.isoformat() if isinstance(value, date) else value
    kind = GetMessageClass(field.message_type)
    known: dict[type[Message], Callable[[Any], Message]] = {money_pb2.Money: from_money, Timestamp: from_time}
    convert = known.get(kind) or (lambda value: filled(kind, value))
    return lambda value: value if isinstance(value, Message) else convert(value)
