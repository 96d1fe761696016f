"""What a caller may touch: companies and sources, as a value that tokens carry and every read and write is held to.

| module | what it holds |
|---|---|
| `names` | which company and source a resource's name bears |
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from libs.errors import ConcordError, Kind

EVERY = "*"
_ID = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,254}"
_COMPANY = re.compile(rf"\*|{_ID}", re.ASCII)
_SOURCE = re.compile(rf"\*|{_ID}/(?:\*|{_ID})", re.ASCII)


class ScopeInvalid(ConcordError):
    """What should name companies or sources does not."""

    kind = Kind.INVALID
    reason = "SCOPE_INVALID"


@dataclass(frozen=True, slots=True)
class AccessScope:
    """Whose books and whose sources. Nothing is allowed that is not named; compared exactly, letter case included.

    What bears both a company and a source needs both. A company's master data bears a company only.
    """

    companies: frozenset[str] = frozenset()  # ids, or `*`
    sources: frozenset[str] = frozenset()  # `{provider}/{account}`, `{provider}/*` or `*`

    @classmethod
    def of(cls, companies: Iterable[str] = (), sources: Iterable[str] = ()) -> AccessScope:
        """Raises `ScopeInvalid` for what has not the form of a company's id or a source."""
        scope = cls(frozenset(companies), frozenset(sources))
        for company in scope.companies:
            if _COMPANY.fullmatch(company) is None:
                raise ScopeInvalid("a company is named by its id, or * for all", field="companies")
        for source in scope.sources:
            if _SOURCE.fullmatch(source) is None:
                raise ScopeInvalid("a source is provider/account, provider/*, or * for all", field="sources")
        return scope

    @property
    def every_company(self) -> bool:
        return EVERY in self.companies

    @property
    def every_source(self) -> bool:
        return EVERY in self.sources

    @property
    def is_everything(self) -> bool:
        return self.every_company and self.every_source

    def allows_company(self, company: str) -> bool:
        return company in self.companies or self.every_company

    def allows_interface(self, interface: str) -> bool:
        """Whether the source `{provider}/{account}` is among them."""
        return (
            interface in self.sources or self.every_source or f"{interface.partition('/')[0]}/{EVERY}" in self.sources
        )

    def binding(self) -> bytes:
        """What page tokens are bound to. Empty for everything, as it was before there were scopes."""
        if self.is_everything:
            return b""
        return sha256("\n".join([*sorted(self.companies), "", *sorted(self.sources)]).encode()).digest()


EVERYTHING = AccessScope(frozenset({EVERY}), frozenset({EVERY}))
NOTHING = AccessScope()
