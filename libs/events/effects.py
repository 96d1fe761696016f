"""The business key of one effect in the books: also the document's external id in Odoo. Made and read here alone."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from .event import Event

_OTHERS = re.compile(rb"[^A-Za-z0-9]")
_ESCAPED = re.compile(rb"-([0-9a-f]{2})")
_PART = r"((?:[A-Za-z0-9]|-[0-9a-f]{2})*)"
_KEY = re.compile("_".join([_PART] * 5) + r"(?:~[0-9a-f]{12})?")


@dataclass(frozen=True, slots=True)
class EffectKey:
    """`str()` of it is the key: the same whether the fact came by webhook, poll or file."""

    company: str
    provider: str
    account: str
    object_id: str
    effect: str  # a rule's word: `gross`, `invoice`; of a bank line its occurrence

    def __str__(self) -> str:
        """`company_provider_account_object_effect`

        Each part keeps `[A-Za-z0-9]`; any other byte of its UTF-8 becomes `-` and two hex digits
        (ACCOUNTING rule 2). So parts cannot run into each other and the key is reversible.
        """
        parts = (self.company, self.provider, self.account, self.object_id, self.effect)
        return "_".join(_escaped(part) for part in parts)

    @classmethod
    def of(cls, event: Event, effect: str) -> EffectKey:
        """The key of one of the event's effects."""
        return cls(event.company, event.provider, event.account, event.object_id, effect)

    @classmethod
    def parse(cls, text: str) -> EffectKey:
        """Raises `ValueError` for what is no key."""
        found = _KEY.fullmatch(text)
        if found is None:
            raise ValueError(f"{text} is no effect's key")
        return cls(*map(_unescaped, found.groups()))

    def sibling(self, effect: str) -> EffectKey:
        """The key of another effect of the same object."""
        return replace(self, effect=effect)


def key_beginning(company: str, *source: str) -> str:
    """What the keys of a company's postings begin with: of all, of a provider's, or of those of one of its accounts."""
    return "".join(f"{_escaped(part)}_" for part in (company, *source))


def is_effect_key(text: str) -> bool:
    """Whether the text has the form of a key."""
    return _KEY.fullmatch(text) is not None


def rival_key(key: str, event: str) -> str:
    """The key under which an event's effect stands where another event has that effect already."""
    return f"{key}~{hashlib.sha256(event.encode()).hexdigest()[:12]}"


def is_rival_key(key: str) -> bool:
    return "~" in key


def _escaped(part: str) -> str:
    if part.isascii() and part.isalnum():
        return part
    return _OTHERS.sub(lambda other: b"-%02x" % ord(other[0]), part.encode()).decode()


def _unescaped(part: str) -> str:
    return _ESCAPED.sub(lambda other: bytes([int(other[1], 16)]), part.encode()).decode()
