"""A company's masters beside its mapping: what findings are made from and questions are answered from."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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
        active = [account for account in accounts if account.active]
        days: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for rate in rates:
            days[rate.currency].append((rate.day, rate.rate))
        return cls(
            entity=entity,
            accounts={account.code: account for account in active},
            accounts_by_id={account.odoo_id: account for account in active},
            journals={journal.code: journal for journal in journals if journal.active},
            tax_codes={code.odoo_id: code for code in tax_codes if code.active},
            rates={currency: _columns(sorted(pairs)) for currency, pairs in days.items()},
        )

    def taxes_named(self, name: str, use: str) -> list[TaxCode]:
        """Taxes of that name for that use; Odoo keeps names unique within a use."""
        return [code for code in self.tax_codes.values() if code.name == name and code.use == use]

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
        return [party for party in found if party.active]

    def products_of(self, sku: str, odoo_id: int) -> list[Product]:
        found = [self.products[odoo_id]] if odoo_id in self.products else list(self.products_by_sku.get(sku, ()))
        return [product for product in found if product.active]


def _columns(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(day for day, _ in pairs), tuple(rate for _, rate in pairs)
