"""JSON from strangers: one UTF-8 object, read in one way only, in bounded time and memory.

Whether the numbers make sense is the caller's business: integers come as `int` of any size up to `DIGITS`, all other
numbers as `Decimal` (so `10.0` is no integer by accident). NUL, which PostgreSQL cannot store in text, becomes U+FFFD.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

import jiter

from .errors import (
    FileEmpty,
    FileTooLarge,
    JsonDuplicateKey,
    JsonEncoding,
    JsonMalformed,
    JsonNotAnObject,
    JsonNumberInvalid,
    JsonTooDeep,
)

DIGITS = 64  # of an integer, and of a fraction
EXPONENT = 308  # what a double holds: beyond it other readers see infinity or zero

JsonObject = dict[str, object]

# Possessive, and an unclosed string matches to the end: time stays linear whatever comes.
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|([\[{])|([\]}])', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(data: bytes, *, max_bytes: int = 1024 * 1024, max_depth: int = 64) -> JsonObject:
    """The object that `data` holds; raises `FormatError` with a stable reason for anything doubtful.

    A byte order mark is dropped (a signature is over the raw bytes, not over this). Keys are not interpreted: an
    empty object is an object.
    """
    if len(data) > max_bytes:
        raise FileTooLarge(f"more than {max_bytes} bytes")
    if _is_plain(data, max_depth):
        try:
            value = _plain(data)
        except ValueError:
            pass  # doubtful: the careful way says what it is, and where
        else:
            if isinstance(value, dict):
                return value
    return _careful(data, max_depth)


def _is_plain(data: bytes, max_depth: int) -> bool:
    """Whether nothing in these bytes needs more care than `_plain` takes. False says nothing; most bodies are plain."""
    if data.count(b"{") + data.count(b"[") > max_depth or b"\\u" in data:
        return False
    # Anything that could be a long number, or one with an exponent of three digits, wherever it stands.
    digits = data.translate(_DIGITS)
    return b"0" * DIGITS not in digits and b"0e000" not in digits


def _careful(data: bytes, max_depth: int) -> JsonObject:
    text = _decoded(data)
    if not text.strip(" \t\r\n"):
        raise FileEmpty("no JSON text")
    _check_depth(text, max_depth)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        # Its text is a fixed phrase, its document is left out.
        raise JsonMalformed(f"not one JSON text: {error.msg}", f"character {error.pos}") from None
    if not isinstance(value, dict):
        raise JsonNotAnObject("the top is not an object")
    # Only an escape can bring these characters in: as bytes they are no UTF-8, or control characters that JSON forbids.
    return _cleaned_object(value) if "\\u" in text else value


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise JsonEncoding("not UTF-8", f"byte {error.start}") from None


def _check_depth(text: str, max_depth: int) -> None:
    """Before the parser recurses: its own limit is the interpreter's, which is not ours to spend."""
    if text.count("{") + text.count("[") <= max_depth:
        return  # whatever they nest, it is no deeper than they are many; most bodies end here
    depth = 0
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        if match[1]:
            depth += 1
            if depth > max_depth:
                raise JsonTooDeep(f"nested deeper than {max_depth}", f"character {match.start()}")
        elif match[2]:
            depth -= 1


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonDuplicateKey("a key stands twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > DIGITS:
        raise JsonNumberInvalid(f"an integer of more than {DIGITS} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    # The length first: an exponent of a hundred digits is an error of `Decimal`'s own kind.
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > DIGITS or len(exponent.lstrip("+-0")) > 3:
        raise JsonNumberInvalid("a number beyond the range of a double")
    number = Decimal(text)
    if abs(number.adjusted()) > EXPONENT:
        raise JsonNumberInvalid("a number beyond the range of a double")
    return number


def _constant(name: str) -> object:
    raise JsonNumberInvalid("NaN and Infinity are not JSON")


def _cleaned_object(value: JsonObject) -> JsonObject:
    """The same without NUL; raises `JsonEncoding` on a lone surrogate. Depth is bounded by now."""
    return _object([(_cleaned_text(key), _cleaned(item)) for key, item in value.items()])


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return _cleaned_text(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return _cleaned_object(value)
    return value


def _cleaned_text(text: str) -> str:
    if _SURROGATE.search(text):
        raise JsonEncoding("half of a surrogate pair cannot be encoded")
    return text.replace("\x00", "\ufffd")


def _plain(data: bytes) -> object:
    """RFC 8259 to the letter: UTF-8, no NaN, no key twice; three times as fast as a hook for each object and number."""
    return jiter.from_json(
        data, allow_inf_nan=False, cache_mode="keys", float_mode="decimal", catch_duplicate_keys=True
    )  # fmt: skip


_DIGITS = bytes.maketrans(b"123456789+-.E", b"000000000000e")
# Made once: making one costs as much as reading a webhook with it.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)
