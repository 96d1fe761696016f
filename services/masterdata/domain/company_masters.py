"""A company's masters beside its mapping: what findings are made from and questions are answered from."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .mapping import CompanyMapping
from .records import Account, ExchangeRate, Journal, LegalEntity, Party, Product, TaxCode


@dataclass(frozen=True, slots=True)
class JournalAnswer:
    """A journal with the codes of its accounts; empty where it has none."""

    journal: Journal
    default_account: str
    suspense_account: str


@dataclass(frozen=True, slots=True)
class CompanyMasters:
    """The active masters of one company, all of one revision. Parties and products can be many: they stay outside."""

    entity: LegalEntity
    accounts: Mapping[str, Account]  # by code
    accounts_by_id: Mapping[int, Account]
    journals: Mapping[str, Journal]  # by code
    tax_codes: Mapping[int, TaxCode]
    rates: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]  # by currency: days in order, and their rates

    @classmethod
    def of(
        cls,
        entity: LegalEntity,
        accounts: Iterable[Account],
        journals: Iterable[Journal],
        tax_codes: Iterable[TaxCode],
        rates: Iterable[ExchangeRate],
    ) -> CompanyMasters:
        active = [one for one in accounts if one.active]
        days: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for rate in rates:
            days[rate.currency].append((rate.day, rate.rate))
        return cls(
            entity=entity,
            accounts={one.code: one for one in active},
            accounts_by_id={one.odoo_id: one for one in active},
            journals={one.code: one for one in journals if one.active},
            tax_codes={one.odoo_id: one for one in tax_codes if one.active},
            rates={currency: _columns(sorted(pairs)) for currency, pairs in days.items()},
        )

    def taxes_named(self, name: str, use: str = "sale") -> list[TaxCode]:
        """Taxes of that name for that use; Odoo keeps names unique within a use."""
        return [one for one in self.tax_codes.values() if one.name == name and one.use == use]

    def with_accounts(self, journal: Journal) -> JournalAnswer:
        accounts = self.accounts_by_id
        default, suspense = accounts.get(journal.default_account), accounts.get(journal.suspense_account)
        return JournalAnswer(journal, default.code if default else "", suspense.code if suspense else "")

    def rate_on(self, currency: str, day: str) -> ExchangeRate | None:
        """The last rate on or before the day; one for the company's own currency."""
        if currency == self.entity.currency:
            return ExchangeRate(currency, day, "1")
        days, rates = self.rates.get(currency, ((), ()))
        found = bisect_right(days, day)
        return ExchangeRate(currency, days[found - 1], rates[found - 1]) if found else None


@dataclass(frozen=True, slots=True)
class NamedRecords:
    """The parties and products that a mapping names, as far as the masters have them."""

    parties_by_name: Mapping[str, Sequence[Party]]
    parties: Mapping[int, Party]
    products_by_sku: Mapping[str, Sequence[Product]]
    products: Mapping[int, Product]

    def parties_of(self, name: str, odoo_id: int) -> list[Party]:
        found = [self.parties[odoo_id]] if odoo_id in self.parties else list(self.parties_by_name.get(name, ()))
        return [one for one in found if one.active]

    def products_of(self, sku: str, odoo_id: int) -> list[Product]:
        found = [self.products[odoo_id]] if odoo_id in self.products else list(self.products_by_sku.get(sku, ()))
        return [one for one in found if one.active]


@dataclass(frozen=True, slots=True)
class NamesToFind:
    """What to look up for `NamedRecords`."""

    party_names: tuple[str, ...]
    party_ids: tuple[int, ...]
    skus: tuple[str, ...]
    product_ids: tuple[int, ...]

    @classmethod
    def of(cls, mapping: CompanyMapping) -> NamesToFind:
        return cls(
            tuple(sorted({one.partner for one in mapping.parties if one.partner})),
            tuple(sorted({one.partner_id for one in mapping.parties if one.partner_id})),
            tuple(sorted({one.product for one in mapping.products if one.product})),
            tuple(sorted({one.product_id for one in mapping.products if one.product_id})),
        )


def _columns(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(day for day, _ in pairs), tuple(rate for _, rate in pairs)
