"""What Concord needs to find in an Odoo company, as data: `concord odoo setup` compares, then makes what is missing.

A plan is a YAML (or JSON) file; `concord odoo plan` prints the default one to start from. Codes are the company's own:
where an account, journal or tax exists under its code, it is adopted, never changed into something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import yaml

from libs.errors import ConcordError, Kind


class PlanUnreadable(ConcordError):
    """The plan is not of the form that this page describes."""

    kind: ClassVar[Kind] = Kind.INVALID
    reason: ClassVar[str] = "ODOO_PLAN_UNREADABLE"


@dataclass(frozen=True, slots=True)
class Account:
    """`role` is the word that rules and journals use for it; `code` is the company's own."""

    role: str
    code: str
    name: str
    type: str  # Odoo's account_type
    reconcile: bool = False
    currency: str = ""  # fixed currency, ISO 4217; empty: any


@dataclass(frozen=True, slots=True)
class Journal:
    """`account` and `suspense` are roles; both only where the journal's type needs them (bank)."""

    role: str
    code: str
    name: str
    type: str  # sale, purchase, bank, cash, general
    account: str = ""
    suspense: str = ""


@dataclass(frozen=True, slots=True)
class Tax:
    """A percentage whose tax lines go to `account` (a role), on invoices and on credit notes alike."""

    code: str
    name: str
    percent: str  # a decimal string
    use: str  # sale or purchase
    account: str


@dataclass(frozen=True, slots=True)
class Partner:
    """`key` is the name under which Concord finds it again, whatever people rename it to."""

    key: str
    name: str
    company: bool = True


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `currency` is worth `value` units of the company's currency from `date` on."""

    currency: str
    date: str  # YYYY-MM-DD
    value: str  # a decimal string


@dataclass(frozen=True, slots=True)
class User:
    """A user with these groups and no other; each group by its external id."""

    login: str
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a company needs. `exchange` is the role of the account for exchange gains and losses."""

    currency: str
    accounts: tuple[Account, ...]
    journals: tuple[Journal, ...]
    taxes: tuple[Tax, ...] = ()
    partners: tuple[Partner, ...] = ()
    currencies: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()
    users: tuple[User, ...] = ()
    exchange: str = ""
    transfer: str = ""  # the role of the account for money on its way between two of our own
    modules: tuple[str, ...] = field(default=("account",))

    def __post_init__(self) -> None:
        roles = {account.role for account in self.accounts}
        used = [(f"journal {journal.code}", role) for journal in self.journals for role in journal_roles(journal)]
        used += [(f"tax {tax.code}", tax.account) for tax in self.taxes]
        used += [(name, role) for name, role in (("exchange", self.exchange), ("transfer", self.transfer)) if role]
        for owner, role in used:
            if role not in roles:
                raise PlanUnreadable(f"{owner} names the account role {role}, which the plan does not have")
        _unique("account role", [account.role for account in self.accounts])
        _unique("account code", [account.code for account in self.accounts])
        _unique("journal code", [journal.code for journal in self.journals])
        _unique("tax code", [tax.code for tax in self.taxes])
        _unique("partner key", [partner.key for partner in self.partners])
        _unique("login", [user.login for user in self.users])
        for name, number in [(tax.code, tax.percent) for tax in self.taxes] + [
            (r.currency, r.value) for r in self.rates
        ]:
            _decimal(name, number)


def journal_roles(journal: Journal) -> tuple[str, ...]:
    """The account roles that a journal names."""
    return tuple(role for role in (journal.account, journal.suspense) if role)


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
    "accounts": Account,
    "journals": Journal,
    "taxes": Tax,
    "partners": Partner,
    "rates": Rate,
    "users": User,
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
        elif name in ("currencies", "modules"):
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
    return str(error).removeprefix("Plan.__init__() ").replace(".__init__()", "")


def plan_text(plan: Plan) -> str:
    """The plan as YAML, in the order in which it is carried out."""
    document = asdict(plan)
    for name, value in document.items():
        if isinstance(value, tuple):
            document[name] = [_plain(item) for item in value]
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _plain(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: list(value) if isinstance(value, tuple) else value for key, value in item.items() if value != ""}
    return item
