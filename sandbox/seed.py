"""Make a sandbox's company: users, currencies and the chart of `chart.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.money.currency import CURRENCIES
from libs.odoo.company import PlannedTax

from . import chart, masters
from .access import GROUPS
from .engine import Sandbox
from .env import COMPANY, ROBOT
from .store import SqliteStore

ADMIN = "admin"
_SYMBOLS = {"USD": ("$", "before"), "EUR": ("€", "after"), "GBP": ("£", "before"), "JPY": ("¥", "before")}
_FIRST_IDS = {"USD": 1, "EUR": 125}  # as on the recorded servers
_COUNTRIES = {"US": "United States", "DE": "Germany", "SE": "Sweden", "FR": "France", "GB": "United Kingdom"}


def bootstrap(sandbox: Sandbox, passwords: Mapping[str, str] | None = None, company: str = "My Company") -> None:
    """Fill an empty sandbox. A user without a password in the map gets their login as one.

    Does nothing to books that already have a company, so that a restart keeps them.
    """
    if not sandbox.is_empty:
        return
    known = dict(passwords or {})
    with sandbox.store.transaction():
        _currencies(sandbox.store)
        _company(sandbox.store, company)
        _groups(sandbox)
        _robots(sandbox.store, known.get(ADMIN, ADMIN))
    for country, name in _COUNTRIES.items():
        _create(sandbox, "res.country", {"code": country, "name": name})
    _books(sandbox)
    for spec in chart.USERS:
        add_user(sandbox, spec.login, known.get(spec.login, spec.login), spec.groups, spec.name)


def add_user(sandbox: Sandbox, login: str, password: str, groups: tuple[str, ...], name: str = "") -> int:
    """A user in these groups (by external id)."""
    ids = [
        sandbox.execute(ROBOT, "ir.model.data", "check_object_reference", [*group.split(".")])[1] for group in groups
    ]
    field = "groups_id" if sandbox.version < 19 else "group_ids"
    values = {"name": name or login, "login": login, "password": password, field: [[6, 0, ids]]}
    return _create(sandbox, "res.users", values)


def _create(sandbox: Sandbox, model: str, values: Mapping[str, Any]) -> int:
    return int(sandbox.execute(ROBOT, model, "create", [dict(values)]))


def _currencies(store: SqliteStore) -> None:
    for code in sorted(CURRENCIES, key=lambda code: (code not in _FIRST_IDS, code)):
        digits = CURRENCIES[code]
        symbol, position = _SYMBOLS.get(code, (code, "after"))
        row: dict[str, Any] = {
            "name": code,
            "full_name": code,
            "symbol": symbol,
            "position": position,
            "active": int(code in chart.ACTIVE_CURRENCIES),
            "rounding": 10.0**-digits,
            "decimal_places": digits,
        }
        if code in _FIRST_IDS:
            row["id"] = _FIRST_IDS[code]
        store.insert("res_currency", row)


def _company(store: SqliteStore, name: str) -> None:
    currency = store.one("SELECT id FROM res_currency WHERE name = ?", (chart.COMPANY_CURRENCY,))
    partner = store.insert("res_partner", {"name": name, "complete_name": name, "is_company": 1, "active": 1})
    store.update("res_partner", partner, {"commercial_partner_id": partner})
    store.insert(
        "res_company",
        {
            "id": COMPANY,
            "name": name,
            "sequence": 10,
            "partner_id": partner,
            "currency_id": currency,
            "chart_template": "generic_coa",
            "tax_calculation_rounding_method": "round_per_line",
            "bank_account_code_prefix": "1014",
        },
    )


def _groups(sandbox: Sandbox) -> None:
    store = sandbox.store
    for external_id, names in GROUPS.items():
        group_id = store.insert("res_groups", {"name": names[0 if sandbox.version < 19 else 1]})
        module, name = external_id.split(".")
        store.insert("ir_model_data", {"module": module, "name": name, "model": "res.groups", "res_id": group_id})


def _robots(store: SqliteStore, admin_password: str) -> None:
    """Odoo's own user, and the administrator with the rights recorded for it."""
    for login, name, password in (("__system__", "OdooBot", None), (ADMIN, "Administrator", admin_password)):
        partner = store.insert("res_partner", {"name": name, "complete_name": name, "active": 1, "is_company": 0})
        store.update("res_partner", partner, {"commercial_partner_id": partner})
        secret = masters.hashed(password, login) if password else None
        row = {"name": name, "login": login, "password": secret, "active": int(bool(password)), "partner_id": partner}
        user_id = store.insert("res_users", row | {"company_id": COMPANY})
        for group in ("base.group_system", "account.group_account_manager", "base.group_partner_manager"):
            module, short = group.split(".")
            found = store.one("SELECT res_id FROM ir_model_data WHERE module = ? AND name = ?", (module, short))
            store.link("res_groups_users_rel", user_id, [found])


def _books(sandbox: Sandbox) -> None:
    store = sandbox.store
    currencies = {row["name"]: row["id"] for row in store.where("res_currency")}
    accounts: dict[str, int] = {}
    for account in chart.ACCOUNTS:
        values: dict[str, Any] = {
            "code": account.code,
            "name": account.name,
            "account_type": account.type,
            "reconcile": account.reconcile,
            "currency_id": currencies[account.currency] if account.currency else False,
        }
        accounts[account.code] = _create(sandbox, "account.account", values)
    receivable, payable = accounts["121000"], accounts["211000"]
    for row in store.where("res_partner"):
        own = {"property_account_receivable_id": receivable, "property_account_payable_id": payable}
        store.update("res_partner", row["id"], own)
    by_field = {field: accounts[code] for field, code in chart.COMPANY_ACCOUNTS.items()}
    sandbox.execute(ROBOT, "res.company", "write", [[COMPANY], by_field])
    for journal in chart.JOURNALS:
        values = {"code": journal.code, "name": journal.name, "type": journal.type}
        if journal.account:
            values["default_account_id"] = accounts[journal.account]
        if journal.suspense:
            values["suspense_account_id"] = accounts[journal.suspense]
        journal_id = _create(sandbox, "account.journal", values)
        if journal.code == chart.EXCHANGE_JOURNAL:
            sandbox.execute(ROBOT, "res.company", "write", [[COMPANY], {"currency_exchange_journal_id": journal_id}])
    _create(sandbox, "account.tax.group", {"name": "Taxes"})
    for tax in chart.TAXES:
        _tax(sandbox, tax, accounts)
    for code, (day, value) in chart.RATES.items():
        rate = {"currency_id": currencies[code], "name": day, "inverse_company_rate": value}
        _create(sandbox, "res.currency.rate", rate)
    for partner in chart.PARTNERS:
        _create(sandbox, "res.partner", {"name": partner})


def _tax(sandbox: Sandbox, tax: PlannedTax, accounts: Mapping[str, int]) -> None:
    parts = [
        [0, 0, {"repartition_type": "base", "factor_percent": 100.0}],
        [0, 0, {"repartition_type": "tax", "factor_percent": 100.0, "account_id": accounts[tax.account]}],
    ]
    values = {
        "name": tax.name,
        "amount": float(tax.percent),
        "type_tax_use": tax.use,
        "invoice_repartition_line_ids": parts,
        "refund_repartition_line_ids": parts,
    }
    _create(sandbox, "account.tax", values)
