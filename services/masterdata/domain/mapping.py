"""A mapping file's content: what a source's words mean in a company's books. Each row knows its line in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MappingScope:
    """Where a row holds; an empty field lets everything through. An account is one of its provider's."""

    provider: str = ""
    account: str = ""
    currency: str = ""

    def widened(self) -> Iterator[MappingScope]:
        """This scope and all that contain it, the most specific first."""
        sources = [(self.provider, self.account), (self.provider, ""), ("", "")]
        known = set()
        for provider, account in sources:
            for currency in (self.currency, ""):
                scope = MappingScope(provider, account, currency)
                if scope not in known:
                    known.add(scope)
                    yield scope


@dataclass(frozen=True, slots=True)
class CompanyPolicy:
    time_zone: str  # IANA
    approval_above: str  # a decimal amount of the company currency; `0`: straight through
    late_event_policy: str
    predecessor_deadline_seconds: int
    line: int


@dataclass(frozen=True, slots=True)
class MappedSource:
    """A provider account whose events belong to this company; `issuer` is who gave its customers their ids."""

    provider: str
    account: str
    issuer: str
    line: int

    @property
    def interface(self) -> str:
        return f"{self.provider}/{self.account}"


@dataclass(frozen=True, slots=True)
class MappedRole:
    """A role's account, or a role's journal; `code` is Odoo's."""

    role: str
    scope: MappingScope
    code: str
    line: int


@dataclass(frozen=True, slots=True)
class MappedBank:
    number: str  # without spaces, in capitals
    journal: str
    line: int


@dataclass(frozen=True, slots=True)
class MappedTax:
    """A tax as the source calls it. An empty account or title lets every one through.

    `use` is what Odoo's tax is for, `sale` or `purchase`: a source may bring documents of both directions.
    """

    provider: str
    account: str
    title: str
    rate: str  # a fraction as decimal string, in its shortest form
    tax: str  # Odoo's name of it, or
    tax_id: int  # its id there
    use: str
    line: int


@dataclass(frozen=True, slots=True)
class MappedFee:
    provider: str
    account: str
    kind: str
    role: str
    line: int


@dataclass(frozen=True, slots=True)
class MappedParty:
    partner: str  # Odoo's name of it, or
    partner_id: int  # its id there
    external_ids: tuple[tuple[str, str], ...]  # issuer, value
    unidentified_for: tuple[str, ...]  # issuers
    line: int


@dataclass(frozen=True, slots=True)
class MappedProduct:
    sku: str
    product: str  # Odoo's default_code, or
    product_id: int  # its id there
    line: int


@dataclass(frozen=True, slots=True)
class CompanyMapping:
    company: CompanyPolicy
    sources: tuple[MappedSource, ...] = ()
    roles: tuple[MappedRole, ...] = ()
    journals: tuple[MappedRole, ...] = ()
    bank_accounts: tuple[MappedBank, ...] = ()
    taxes: tuple[MappedTax, ...] = ()
    fees: tuple[MappedFee, ...] = ()
    parties: tuple[MappedParty, ...] = ()
    products: tuple[MappedProduct, ...] = ()
