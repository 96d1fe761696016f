"""Values out of messages of the same shape, by the value's dataclass: what `filling` does, the other way."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import MISSING, Field, fields
from datetime import date
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message

from libs.events import EventInvalid
from libs.money import Money

from .filling import attribute_of
from .scalars import to_date, to_money

T = TypeVar("T")


def read(message: Message, kind: type[T]) -> T:
    """The dataclass that says what the message does: each attribute from the field of its name.

    `currency_code` is the attribute `currency`. A field that is not set gives the attribute's default. Raises
    `EventInvalid` for a date that is none and a word of an enum that is not known, `UnknownCurrency` or `BadAmount`
    for an amount, and whatever the dataclass itself refuses.
    """
    value: T = _reader(cast("Hashable", kind), cast("Hashable", type(message)))(message)
    return value


@cache
def _reader(kind: Any, message: Any) -> Callable[[Any], Any]:
    """One expression a class, as dataclasses make their own methods: as fast as one written by hand."""
    by_attribute = {attribute_of(field.name): field for field in message.DESCRIPTOR.fields}
    hints, known = get_type_hints(kind), {"kind": kind, "money": to_money, "date": to_date, "read": read}
    arguments = [
        f"{each.name}={_expression(hints[each.name], each, by_attribute[each.name], known)}" for each in fields(kind)
    ]
    made: Callable[[Any], Any] = eval(f"lambda message: kind({', '.join(arguments)})", known)  # noqa: S307 - our names
    return made


def _expression(hint: Any, each: Field[Any], field: Any, known: dict[str, Any]) -> str:
    """What the attribute is, `message` being the message."""
    got, optional = f"message.{field.name}", get_origin(hint) is UnionType
    if optional:
        (hint,) = (argument for argument in get_args(hint) if argument is not NoneType)
    if get_origin(hint) is tuple:
        item = _item(get_args(hint)[0], "each", field, known)
        return f"tuple([{item} for each in {got}])"
    item = _item(hint, got, field, known)
    if optional:
        return f"({item} if {got if field.message_type is None else f'message.HasField({field.name!r})'} else None)"
    if each.default is MISSING or not each.default:
        return item
    known[f"default_{field.name}"] = each.default
    return f"({item} if {got} else default_{field.name})"


def _item(hint: Any, got: str, field: Any, known: dict[str, Any]) -> str:
    if hint in (str, int, bool):
        return got
    if hint is Money:
        return f"money({got})"
    path = f"{_snake(field.containing_type.name)}.{field.name}"
    if hint is date:
        return f"date({got}, {path!r})"
    if issubclass(hint, Enum):
        known[f"word_{field.name}"] = _words(hint, field.enum_type, path)
        return f"word_{field.name}({got})"
    known[f"kind_{field.name}"] = hint
    return f"read({got}, kind_{field.name})"


def _words(kind: type[Enum], descriptor: EnumDescriptor, path: str) -> Callable[[int], Enum]:
    """Number to word; none stands for the unspecified one."""
    prefix = descriptor.values[0].name.removesuffix("UNSPECIFIED")
    words = {descriptor.values_by_name[prefix + word.name].number: word for word in kind}

    def word_of(number: int) -> Enum:
        word = words.get(number)
        if word is None:
            raise EventInvalid("not a known word", field=path)
        return word

    return word_of


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
