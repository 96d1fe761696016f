"""What Concord needs to find in an Odoo company, as data: `provision` compares, then makes what is missing.

A plan is a YAML (or JSON) file. Codes are the company's own: where an account, journal or tax exists under its code,
it is adopted, never changed into something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import yaml

from libs.errors import ConcordError, Kind


class PlanUnreadable(ConcordError):
    """The plan is not of the form that this page describes."""

    kind: ClassVar[Kind] = Kind.INVALID
    reason: ClassVar[str] = "ODOO_PLAN_UNREADABLE"


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


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a company needs. Other parts name an account by its code."""

    currency: str
    accounts: tuple[PlannedAccount, ...]
    journals: tuple[PlannedJournal, ...]
    taxes: tuple[PlannedTax, ...] = ()
    partners: tuple[PlannedPartner, ...] = ()
    currencies: tuple[str, ...] = ()
    rates: tuple[PlannedRate, ...] = ()
    users: tuple[PlannedUser, ...] = ()
    exchange: str = ""  # the account of exchange gains and losses alike: Odoo's own exchange entries must hit it
    transfer: str = ""  # the account of money on its way between two of the company's own

    def __post_init__(self) -> None:
        codes = {account.code for account in self.accounts}
        used = [(f"journal {journal.code}", code) for journal in self.journals for code in journal_accounts(journal)]
        used += [(f"tax {tax.code}", tax.account) for tax in self.taxes]
        used += [(name, code) for name, code in (("exchange", self.exchange), ("transfer", self.transfer)) if code]
        for owner, code in used:
            if code not in codes:
                raise PlanUnreadable(f"{owner} names the account {code}, which the plan does not have")
        _unique("account code", [account.code for account in self.accounts])
        _unique("journal code", [journal.code for journal in self.journals])
        _unique("tax code", [tax.code for tax in self.taxes])
        _unique("partner key", [partner.key for partner in self.partners])
        _unique("login", [user.login for user in self.users])
        for name, number in [(tax.code, tax.percent) for tax in self.taxes] + [
            (r.currency, r.value) for r in self.rates
        ]:
            _decimal(name, number)


def journal_accounts(journal: PlannedJournal) -> tuple[str, ...]:
    """The codes of the accounts that a journal names."""
    return tuple(code for code in (journal.account, journal.suspense) if code)


def _unique(what: str, names: list[str]) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise PlanUnreadable(f"the plan names the {what} {doubled[0]} more than once")


def _decimal(name: str, text: str) -> None:
    try:
        positive = Decimal(text) >= 0
    except InvalidOperation:
        positive = False
    if not positive:
        raise PlanUnreadable(f"{name}: not a decimal number, zero or more")


_LISTS: dict[str, type] = {
    "accounts": PlannedAccount,
    "journals": PlannedJournal,
    "taxes": PlannedTax,
    "partners": PlannedPartner,
    "rates": PlannedRate,
    "users": PlannedUser,
}


def read_plan(text: str) -> Plan:
    """The plan that a YAML or JSON text holds. Raises PlanUnreadable."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PlanUnreadable(f"not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(document, dict):
        raise PlanUnreadable("a plan is a mapping of accounts, journals, taxes and so on")
    values: dict[str, Any] = {}
    for name, value in document.items():
        if name in _LISTS:
            values[name] = tuple(_item(name, _LISTS[name], item) for item in _sequence(name, value))
        elif name == "currencies":
            values[name] = tuple(str(item) for item in _sequence(name, value))
        else:
            values[str(name)] = str(value)
    try:
        return Plan(**values)
    except TypeError as error:
        raise PlanUnreadable(_without_code(error)) from error


def _sequence(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PlanUnreadable(f"{name} is a list")
    return value


def _item(name: str, kind: type, item: Any) -> Any:
    if not isinstance(item, Mapping):
        raise PlanUnreadable(f"each of {name} is a mapping")
    values = {str(key): _value(value) for key, value in item.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise PlanUnreadable(f"{name}: {_without_code(error)}") from error


def _value(value: Any) -> Any:
    """Codes that YAML takes for numbers become text again; lists become tuples; a truth stays one."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return str(value)


def _without_code(error: TypeError) -> str:
    return str(error).removeprefix("Plan.__init__() ").removeprefix("Planned").replace(".__init__()", "")
