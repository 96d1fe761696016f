"""Reads fields of untrusted JSON strictly: the expected type or `ShapeInvalid` with the field's path."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from libs.money import BadAmount, Money

from .errors import AmountInvalid, ShapeInvalid

_MAX_EPOCH_SECONDS = 253_402_300_799  # the end of the year 9999
_MAX_TEXT = 4096
_MAX_PATHS = 5000
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,200}", re.ASCII)
# What a shop's own people write: their keys say nothing of the provider's shape.
_FREE = frozenset({"metadata", "properties", "note_attributes", "previous_attributes", "receipt"})


class Shape:
    """One JSON object and where it stands. `maybe_…` takes an absent or null field for nothing."""

    def __init__(self, value: Mapping[str, object], path: str = "") -> None:
        self._value = value
        self.path = path

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._value.get(key) is not None

    def text(self, key: str) -> str:
        value = self._value.get(key)
        if not isinstance(value, str) or not value or len(value) > _MAX_TEXT:
            raise self.invalid(key, "a text")
        return value

    def maybe_text(self, key: str) -> str:
        value = self._value.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.invalid(key, "a text")
        return value[:_MAX_TEXT]

    def identifier(self, key: str) -> str:
        """An id given as text or as integer, as text."""
        value = self._value.get(key)
        return str(self.integer(key)) if isinstance(value, int) else self.text(key)

    def segment(self, key: str) -> str:
        """An id that can stand in a resource name."""
        value = self.text(key)
        if not _SEGMENT.fullmatch(value):
            raise self.invalid(key, "an id")
        return value

    def integer(self, key: str) -> int:
        value = self._value.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.invalid(key, "an integer")
        return value

    def flag(self, key: str) -> bool:
        value = self._value.get(key)
        if not isinstance(value, bool):
            raise self.invalid(key, "true or false")
        return value

    def maybe_flag(self, key: str) -> bool:
        return self.flag(key) if self.has(key) else False

    def shape(self, key: str) -> Shape:
        found = self.maybe_shape(key)
        if found is None:
            raise self.invalid(key, "an object")
        return found

    def maybe_shape(self, key: str) -> Shape | None:
        """The object, or None where there is none or only its id."""
        value = self._value.get(key)
        return Shape(value, self._at(key)) if isinstance(value, dict) else None

    def shapes(self, key: str) -> list[Shape]:
        """The objects of a list; none if the field is absent or null."""
        value = self._value.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.invalid(key, "a list of objects")
        return [Shape(item, f"{self._at(key)}[{index}]") for index, item in enumerate(value)]

    def texts(self, key: str) -> list[str]:
        """A list of texts, each once; none if the field is absent or null."""
        value = self._value.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.invalid(key, "a list of texts")
        return list(dict.fromkeys(item[:_MAX_TEXT] for item in value))

    def reference(self, key: str) -> str:
        """The id in a field that holds an id or the expanded object; empty if it holds neither."""
        expanded = self.maybe_shape(key)
        return expanded.text("id") if expanded else self.maybe_text(key)

    def words(self, key: str) -> dict[str, str]:
        """The texts of a flat map, such as metadata; other values are left out."""
        value = self._value.get(key)
        return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}

    def instant(self, key: str) -> datetime:
        """Unix seconds."""
        seconds = self.integer(key)
        if not 0 <= seconds <= _MAX_EPOCH_SECONDS:
            raise self.invalid(key, "seconds since 1970")
        return datetime.fromtimestamp(seconds, UTC)

    def iso_instant(self, key: str) -> datetime:
        """ISO 8601 with an offset, to the second."""
        try:
            found = datetime.fromisoformat(self.text(key))
            in_utc = found.astimezone(UTC).replace(microsecond=0)
        except (ValueError, OverflowError):  # the first and the last day there is have no UTC in some zones
            raise self.invalid(key, "an ISO 8601 time") from None
        if found.tzinfo is None:
            raise self.invalid(key, "a time with an offset")
        return in_utc

    def decimal_money(self, key: str, currency: str) -> Money:
        """A plain decimal text in a known currency."""
        if not isinstance(self._value.get(key), str):
            raise AmountInvalid(f"{self._at(key)} must be a decimal text", field=self._at(key))
        return self.number_money(key, currency)

    def number_money(self, key: str, currency: str) -> Money:
        """An amount given as text or as JSON number (read as Decimal, so exact)."""
        value = self._value.get(key)
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise AmountInvalid(f"{self._at(key)} must be an amount", field=self._at(key))
        text = value if isinstance(value, str) else format(value, "f")
        try:
            return Money.parse(currency, text)
        except BadAmount:
            raise AmountInvalid(f"{self._at(key)} is no amount of {currency}", field=self._at(key)) from None

    def rate(self, key: str) -> str:
        """A rate as plain decimal text; empty if there is none."""
        value = self._value.get(key)
        if value is None or value == "":
            return ""
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise self.invalid(key, "a number")
        try:
            number = Decimal(value)
        except ArithmeticError:
            raise self.invalid(key, "a number") from None
        if not number.is_finite() or not -8 <= number.adjusted() <= 8:
            raise self.invalid(key, "a rate")
        text = format(number, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text

    def invalid(self, key: str, expected: str) -> ShapeInvalid:
        """The error for a field that is not what it must be."""
        return ShapeInvalid(f"{self._at(key)} must be {expected}", field=self._at(key))

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def fingerprint(value: Mapping[str, object]) -> str:
    """SHA-256 over the sorted paths of all fields with their types; lists count by what they hold, not how much."""
    paths: set[str] = set()
    for path in _paths(value, ""):
        paths.add(path)
        if len(paths) >= _MAX_PATHS:
            break
    return hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()


def _paths(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths({} if key in _FREE else item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, f"{path}[]")
    else:
        yield f"{path}:{type(value).__name__}"
