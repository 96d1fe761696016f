"""Page tokens of `List` methods, and resume tokens of streams: opaque, versioned, and bound to what was asked.

A token holds the position of the last row given (a keyset, never an offset) and a hash over the request's filters and
its caller's scope, so that a token taken to another list fails instead of giving a wrong page. It grants nothing: no
secret is in it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol, Self, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from libs.errors import ConcordError
from libs.listing import After, Item, ListPart
from libs.rpc.identity import current_scope

VERSION = 1
HASH_BYTES = 12
TOKEN_CHARACTERS = 2048
DEFAULT_PAGE_SIZE = 100
MAXIMUM_PAGE_SIZE = 1000
LENGTH_DELIMITED = 2  # protobuf's wire type of a field that holds a message

Answer = TypeVar("Answer", bound=Message)


class PageTokenInvalid(ConcordError):
    """The page token is not one of ours, or belongs to a request with other filters."""

    reason = "PAGE_TOKEN_INVALID"


class PageSizeInvalid(ConcordError):
    """The page size is below zero."""

    reason = "PAGE_SIZE_INVALID"


class _ListRequest(Protocol):
    """What every `List` request of ours has."""

    page_size: int
    page_token: str


def encode_token(cursor: Sequence[str | int], binding: bytes) -> str:
    """An opaque, URL-safe token for a position; `decode_token` gives it back for the same binding only."""
    body = json.dumps(list(cursor), separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(bytes([VERSION]) + _proof(body, binding) + body).rstrip(b"=").decode()


def decode_token(token: str, binding: bytes, field: str = "page_token") -> After:
    """The position in the token. Raises `PageTokenInvalid` naming `field`."""
    invalid = PageTokenInvalid("the token is not one that this request gave", field=field)
    if len(token) > TOKEN_CHARACTERS:
        raise invalid
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise invalid from None
    version, proof, body = raw[:1], raw[1 : 1 + HASH_BYTES], raw[1 + HASH_BYTES :]
    if version != bytes([VERSION]) or proof != _proof(body, binding):
        raise invalid
    return tuple(json.loads(body))


def _proof(body: bytes, binding: bytes) -> bytes:
    return hashlib.blake2b(body, key=hashlib.sha256(binding).digest(), digest_size=HASH_BYTES).digest()


def clamp_page_size(requested: int, *, default: int = DEFAULT_PAGE_SIZE, maximum: int = MAXIMUM_PAGE_SIZE) -> int:
    """The page size to use: 0 means the default, above the maximum means the maximum. Raises `PageSizeInvalid`."""
    if requested < 0:
        raise PageSizeInvalid("page_size is below zero", field="page_size")
    return min(requested or default, maximum)


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list a request asks for: at most `size` rows that follow `after` (None: from the start)."""

    size: int
    after: After | None
    binding: bytes

    @classmethod
    def of(cls, request: Message, *, default: int = DEFAULT_PAGE_SIZE, maximum: int = MAXIMUM_PAGE_SIZE) -> Self:
        """Read a `List` request. Raises `PageTokenInvalid` or `PageSizeInvalid`."""
        fields: _ListRequest = request  # type: ignore[assignment]  # every List request has the two fields
        binding = filters_of(request)
        after = decode_token(fields.page_token, binding) if fields.page_token else None
        return cls(clamp_page_size(fields.page_size, default=default, maximum=maximum), after, binding)

    @property
    def start(self) -> int:
        """How many rows come before, in a list whose places are numbers. Raises `PageTokenInvalid`."""
        if self.after is None:
            return 0
        place, *others = self.after
        if others or not isinstance(place, int):  # it was given when the list had another order
            raise PageTokenInvalid("the token is not one that this list gives", field="page_token")
        return place

    def token_after(self, cursor: Sequence[str | int] | None) -> str:
        """The `next_page_token` that continues after the row at `cursor`; empty for None: there is no more."""
        return "" if cursor is None else encode_token(cursor, self.binding)

    def answer(self, answer: Answer, part: ListPart[Item], encode: Callable[[Item], Message]) -> Answer:
        """Fill a `List` response: its one repeated field, and the token of the next page."""
        field = _listed(answer.DESCRIPTOR)
        getattr(answer, field.name).extend(map(encode, part.items))
        setattr(answer, "next_page_token", self.token_after(part.after))  # noqa: B010 - every List response has it
        return answer

    def finished_answer(self, kind: type[Message], part: ListPart[Item], encode: Callable[[Item], bytes]) -> bytes:
        """The serialized `List` response of items that are kept serialized: none of them is read on the way."""
        tag = _varint(_listed(kind.DESCRIPTOR).number << 3 | LENGTH_DELIMITED)
        pieces: list[bytes] = []
        for item in map(encode, part.items):
            pieces += (tag, _varint(len(item)), item)
        pieces.append(kind(next_page_token=self.token_after(part.after)).SerializeToString())
        return b"".join(pieces)


@cache
def _listed(response: Descriptor) -> FieldDescriptor:
    """The one repeated field of a `List` response."""
    return next(field for field in response.fields if field.is_repeated)


@lru_cache(maxsize=4096)
def _varint(number: int) -> bytes:
    """As the wire format has numbers: seven bits a byte, the lowest first; the last byte has no high bit."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*digits, number))


def filters_of(request: Message) -> bytes:
    """A request without its paging fields, and its caller's scope: what a token is bound to."""
    filters = type(request)()
    filters.CopyFrom(request)
    for name in ("page_size", "page_token", "resume_token"):
        if name in request.DESCRIPTOR.fields_by_name:
            filters.ClearField(name)
    asked = request.DESCRIPTOR.full_name.encode() + b"\0" + filters.SerializeToString(deterministic=True)
    return asked + current_scope().binding()
