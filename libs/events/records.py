"""Frozen dataclasses as JSON values and back, for a service's own store. Not a public format.

A field that has its default is left out: a document has many fields that few sources state.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from json.encoder import encode_basestring
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from libs.money import Money

_T = TypeVar("_T")
_Decoder = Callable[[Any], Any]
_Writer = Callable[[Any], str]


def to_text(value: Any) -> str:
    """Compact JSON: dataclasses become objects, tuples arrays, Money `[currency, minor units]`, instants and dates ISO.

    Every stored event passes here, so it is written without an object between.
    """
    return _TEXT[value.__class__](value)


def from_plain(kind: type[_T], value: Any) -> _T:
    """The `kind` that the JSON value of `to_text` was. Its own checks run again and may raise."""
    return cast(_T, _decoder(cast("Hashable", kind))(value))


class _Writers(dict[Any, _Writer]):
    """By class, made when the first value of a class comes."""

    def __missing__(self, kind: Any) -> _Writer:
        writer = self[kind] = _writer(kind)
        return writer


_TEXT: _Writers = _Writers(
    {
        str: encode_basestring,
        int: int.__repr__,
        bool: lambda value: "true" if value else "false",
        NoneType: lambda value: "null",
        Money: lambda value: f'["{value.currency}",{value.minor_units}]',
        datetime: lambda value: f'"{(value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()}"',
        date: lambda value: f'"{value.isoformat()}"',
        tuple: lambda value: f"[{','.join([_TEXT[each.__class__](each) for each in value])}]",
    }
)


def _writer(kind: Any) -> _Writer:
    if issubclass(kind, Enum):
        return lambda value: _TEXT[value._value_.__class__](value._value_)
    # One expression a class, as dataclasses make their own methods: half the time of a loop over the fields.
    hints = get_type_hints(kind)
    known: dict[str, Any] = {"text": encode_basestring, "writers": _TEXT}
    parts = []
    for number, each in enumerate(fields(kind)):
        part = f"f'{',' if number else ''}\"{each.name}\":{{{_written(hints[each.name], each.name)}}}'"
        if each.default is not MISSING and number:
            known[f"default_{number}"] = each.default
            part = f"('' if value.{each.name} == default_{number} else {part})"
        parts.append(part)
    source = f"lambda value: '{{' + {' + '.join(parts)} + '}}'"
    made: _Writer = eval(source, known)  # noqa: S307 - of our own field names
    return made


def _written(hint: Any, name: str) -> str:
    """The expression that writes a field. Of a plain text the class is known; of anything else it is looked up."""
    return f"text(value.{name})" if hint is str else f"writers[value.{name}.__class__](value.{name})"


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@cache
def _decoder(kind: Any) -> _Decoder:
    if kind in (str, int, bool):
        return lambda value: value
    if kind is Money:
        return lambda value: Money(*value)
    if kind is datetime:
        return datetime.fromisoformat
    if kind is date:
        return date.fromisoformat
    if get_origin(kind) is tuple:
        item = _decoder(get_args(kind)[0])
        return lambda value: tuple(item(each) for each in value)
    if get_origin(kind) is UnionType:
        (other,) = (argument for argument in get_args(kind) if argument is not NoneType)
        inner = _decoder(other)
        return lambda value: None if value is None else inner(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        decoders = {name: _decoder(hints[name]) for name in _names(cast("Hashable", kind))}
        return lambda value: kind(**{name: decoders[name](item) for name, item in value.items()})  # type: ignore[operator]
    raise TypeError(f"no decoder for {kind}")
