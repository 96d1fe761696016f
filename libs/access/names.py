"""Which company and source a resource's name bears.

A name is read in one way only, without decoding or shortening anything: what has not exactly one of the forms bears
nothing, and is refused.

    companies/{company}[/{collection}/{id}]
    sources/{provider}/accounts/{account}[/{collection}/{id}]

A posting's id is its effect's key, which names the source too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from libs.events.effects import EffectKey, key_beginning

from . import EVERY, AccessScope

_PART = r"[^/\s\x00-\x1f\x7f]"
_OF_COMPANY = re.compile(rf"companies/({_PART}{{1,255}})(?:/([A-Za-z]+)/({_PART}{{1,1024}}))?")
_OF_SOURCE = re.compile(rf"sources/({_PART}{{1,255}})/accounts/({_PART}{{1,255}})(?:/([A-Za-z]+)/{_PART}{{1,1024}})?")
_ANY = "-"  # of a source, in the parent of a list


class Bearing(NamedTuple):
    """The company and the source (`{provider}/{account}`) that a name bears, empty where it names none, and of what
    collection the resource is."""

    company: str
    interface: str
    collection: str

    @property
    def is_any(self) -> bool:
        """A parent that leaves provider or account open."""
        return self.collection == "sources" and _ANY in self.interface.split("/")


def bearing_of(name: str) -> Bearing | None:
    """None for what is no resource's name."""
    found = _OF_COMPANY.fullmatch(name)
    if found is not None:
        company, collection, key = found.groups()
        interface = _interface_of(key) if collection == "postings" else ""
        return Bearing(company, interface, collection or "companies")
    found = _OF_SOURCE.fullmatch(name)
    if found is None:
        return None
    provider, account, collection = found.groups()
    return Bearing("", f"{provider}/{account}", collection or "sources")


def allows(scope: AccessScope, bearing: Bearing) -> bool:
    """Whether the scope has all that the name bears."""
    if bearing.company and not scope.allows_company(bearing.company):
        return False
    return not bearing.interface or scope.allows_interface(bearing.interface)


def allows_name(scope: AccessScope, name: str) -> bool:
    """Whether the name is a resource's and the scope has all that it bears."""
    bearing = bearing_of(name)
    return bearing is not None and allows(scope, bearing)


def event_beginnings(scope: AccessScope) -> list[str]:
    """What the names of the sources' events and deliveries begin with; for a scope without `*` among its sources."""
    return [
        f"sources/{provider}/accounts/" if account == EVERY else f"sources/{provider}/accounts/{account}/"
        for provider, account in _pairs(scope)
    ]


def posting_beginnings(scope: AccessScope, company: str) -> list[str]:
    """What the keys of a company's postings begin with, of the sources; for a scope without `*` among its sources."""
    return [
        key_beginning(company, provider) if account == EVERY else key_beginning(company, provider, account)
        for provider, account in _pairs(scope)
    ]


def allows_key(scope: AccessScope, key: str) -> bool:
    """Whether a posting's key is of a source in the scope."""
    return scope.every_source or scope.allows_interface(_interface_of(key))


def _pairs(scope: AccessScope) -> list[tuple[str, str]]:
    return [(provider, account) for provider, _, account in (source.partition("/") for source in sorted(scope.sources))]


def _interface_of(key: str) -> str:
    """Of what is no key, one that no scope names but `*`."""
    try:
        effect = EffectKey.parse(key)
    except ValueError:
        return _ANY
    return f"{effect.provider}/{effect.account}"
