"""Checks of request fields for `wire.py`: each gives the value back or raises `InvalidRequest` naming the field."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TypeVar

from libs.rpc.errors import InvalidRequest

SEGMENT_CHARACTERS = 255
TEXT_CHARACTERS = 1024
COMPANY_CHARACTERS = 64

_HEXADECIMAL_ID = re.compile(r"[0-9a-f]{32}")
_REQUEST_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_CURRENCY = re.compile(r"[A-Z]{3}")

Item = TypeVar("Item")


def required(value: str, field: str, maximum: int = TEXT_CHARACTERS) -> str:
    """A text that is there, without control characters and not too long."""
    if not value.strip():
        raise InvalidRequest(f"{field} is required", field=field)
    return optional(value, field, maximum)


def optional(value: str, field: str, maximum: int = TEXT_CHARACTERS) -> str:
    """A text that may be empty, without control characters and not too long."""
    if len(value) > maximum:
        raise InvalidRequest(f"{field} is longer than {maximum} characters", field=field)
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise InvalidRequest(f"{field} holds control characters", field=field)
    return value


def resource_name(value: str, field: str, pattern: str) -> dict[str, str]:
    """The parts of a resource name, for example of `companies/{company}/postings/{posting}`.

    A part is 1 to 255 characters without slash, space or control character.
    """
    required(value, field)
    match = _name_pattern(pattern).fullmatch(value)
    if match is None:
        raise InvalidRequest(f"{field} must be of the form {pattern}", field=field)
    return match.groupdict()


def company_of(name: str, field: str = "parent") -> str:
    """The company's id in `companies/{company}`, of at most 64 characters."""
    company = resource_name(name, field, "companies/{company}")["company"]
    if len(company) > COMPANY_CHARACTERS:
        raise InvalidRequest(f"{field} names a company of more than {COMPANY_CHARACTERS} characters", field=field)
    return company


def transaction_id(value: str, field: str = "transaction_id") -> str:
    """32 lower-case hexadecimal digits, not all zero."""
    if _HEXADECIMAL_ID.fullmatch(value) is None or not value.strip("0"):
        raise InvalidRequest(f"{field} must be 32 lower-case hexadecimal digits", field=field)
    return value


def request_id(value: str, field: str = "request_id") -> str:
    """A UUID that the caller made, in lower case with hyphens, so that two spellings are one."""
    if _REQUEST_ID.fullmatch(value) is None:
        raise InvalidRequest(f"{field} must be a UUID", field=field)
    digits = value.replace("-", "").lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def currency_code(value: str, field: str) -> str:
    """Three capital letters; whether the currency is known is for masterdata to say."""
    if _CURRENCY.fullmatch(value) is None:
        raise InvalidRequest(f"{field} must be an ISO 4217 code", field=field)
    return value


def at_most(items: Sequence[Item], maximum: int, field: str) -> Sequence[Item]:
    """A list that is neither empty nor too long."""
    if not items:
        raise InvalidRequest(f"{field} is empty", field=field)
    if len(items) > maximum:
        raise InvalidRequest(f"{field} holds more than {maximum} items", field=field)
    return items


@functools.cache
def _name_pattern(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    return re.compile(
        "".join(
            rf"(?P<{part}>[^/\s\x00-\x1f\x7f]{{1,{SEGMENT_CHARACTERS}}})" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )
