"""Frozen dataclasses as JSON values and back, for a service's own store. Not a public format."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from libs.money import Money

_T = TypeVar("_T")
_Decoder = Callable[[Any], Any]


def to_plain(value: Any) -> Any:
    """Dataclasses become objects, tuples arrays, Money `[currency, minor units]`, instants and dates ISO 8601."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Money):
        return [value.currency, value.minor_units]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [to_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return {name: to_plain(getattr(value, name)) for name in _names(cast("Hashable", type(value)))}


def from_plain(kind: type[_T], value: Any) -> _T:
    """What `to_plain` made of a `kind`. Its own checks run again and may raise."""
    return cast(_T, _decoder(cast("Hashable", kind))(value))


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
        return lambda value: tuple(item(one) for one in value)
    if get_origin(kind) is UnionType:
        (other,) = (one for one in get_args(kind) if one is not NoneType)
        inner = _decoder(other)
        return lambda value: None if value is None else inner(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        decoders = {name: _decoder(hints[name]) for name in _names(cast("Hashable", kind))}
        return lambda value: kind(**{name: decoders[name](one) for name, one in value.items()})  # type: ignore[operator]
    raise TypeError(f"no decoder for {kind}")
