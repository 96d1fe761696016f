"""What Concord needs to find in an Odoo company, as data: a plan is made of it, and the sandbox's company."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedAccount:
    """`code` is the company's own; `role` is what the posting rules call it (clearing has one account a currency)."""

    role: str
    code: str
    name: str
    type: str  # Odoo's account_type
    reconcile: bool = False
    currency: str = ""  # fixed currency, ISO 4217; empty: any


@dataclass(frozen=True, slots=True)
class PlannedJournal:
    """`account` is its default account, `suspense` a bank journal's suspense account; empty: Odoo chooses."""

    role: str
    code: str
    name: str
    type: str  # sale, purchase, bank, cash, general
    account: str = ""
    suspense: str = ""


@dataclass(frozen=True, slots=True)
class PlannedTax:
    """A percentage whose tax lines go to the account of that code, on invoices and on credit notes alike."""

    code: str
    name: str
    percent: str  # a decimal string
    use: str  # sale or purchase
    account: str


@dataclass(frozen=True, slots=True)
class PlannedPartner:
    """`key` is the name under which Concord finds it again, whatever people rename it to."""

    key: str
    name: str
    company: bool = True


@dataclass(frozen=True, slots=True)
class PlannedRate:
    """One unit of `currency` is worth `value` units of the company's currency from `date` on."""

    currency: str
    date: str  # YYYY-MM-DD
    value: str  # a decimal string


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """A user with these groups and no other; each group by its external id."""

    login: str
    name: str
    groups: tuple[str, ...]
