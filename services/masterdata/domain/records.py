"""The masters as Odoo has them. Accounts, journals and parties are told apart by Odoo's ids, which never change."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A company that keeps books. `revision` grows with every sync or activation that changed something."""

    company: str  # our id: `companies/{company}`
    odoo_id: int
    display_name: str
    currency: str
    gain_account: int = 0  # Odoo's ids of the exchange accounts; 0: none
    loss_account: int = 0
    rounds_by_line: bool = True  # taxes are rounded line by line, as we compute them
    time_zone: str = ""  # IANA; from the active mapping
    revision: int = 0


@dataclass(frozen=True, slots=True)
class StoredCompany:
    """A company as it is stored, and when the reading that it stems from began."""

    entity: LegalEntity
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    odoo_id: int
    code: str
    name: str
    type: str  # Odoo's account_type
    reconcilable: bool
    currency: str = ""  # set where the account takes one currency only
    active: bool = True


@dataclass(frozen=True, slots=True)
class Journal:
    odoo_id: int
    code: str
    name: str
    type: str
    currency: str = ""
    default_account: int = 0  # Odoo's id; 0: none
    suspense_account: int = 0
    active: bool = True


@dataclass(frozen=True, slots=True)
class TaxCode:
    odoo_id: int
    name: str
    rate: str  # a fraction as decimal string; empty where the tax is no plain percentage
    use: str
    repartition_complete: bool  # false where a repartition line has no account
    repartition_accounts: str  # Odoo's ids, separated by spaces
    price_included: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True)
class Currency:
    code: str
    odoo_id: int
    active: bool = True


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """Units of the currency for one unit of the company's, from a day on."""

    currency: str
    day: str  # ISO 8601
    rate: str  # decimal string


@dataclass(frozen=True, slots=True)
class Party:
    odoo_id: int
    name: str
    commercial_odoo_id: int  # bears receivables and payables
    active: bool = True


@dataclass(frozen=True, slots=True)
class Product:
    odoo_id: int
    sku: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class ExternalReference:
    """What another system calls a party; an empty `value` is the issuer's unidentified customer."""

    issuer: str
    value: str
    party: int  # Odoo's id


Record = Account | Journal | TaxCode | Currency | ExchangeRate | Party | Product


@dataclass(frozen=True, slots=True)
class Reading:
    """All masters of one company, as one pass over Odoo found them."""

    entity: LegalEntity
    accounts: tuple[Account, ...]
    journals: tuple[Journal, ...]
    tax_codes: tuple[TaxCode, ...]
    currencies: tuple[Currency, ...]
    exchange_rates: tuple[ExchangeRate, ...]
    parties: tuple[Party, ...]
    products: tuple[Product, ...]

    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many records were read, under the names that a sync run tells."""
        kinds = (field.name for field in fields(self) if field.name != "entity")
        return tuple((kind, len(getattr(self, kind))) for kind in kinds)
