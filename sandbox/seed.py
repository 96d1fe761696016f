"""Make a sandbox's company: users, currencies, and the plan of `chart.py` carried out as on any Odoo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.money.currency import CURRENCIES
from libs.odoo.provision import Provisioner

from . import masters
from .access import GROUPS
from .chart import PLAN
from .engine import Sandbox
from .env import COMPANY, ROBOT
from .store import SqliteStore
from .transport import InProcess

ADMIN = "admin"
ROBOT_LOGIN = "__system__"
_SYMBOLS = {"USD": ("$", "before"), "EUR": ("€", "after"), "GBP": ("£", "before"), "JPY": ("¥", "before")}
_FIRST_IDS = {"USD": 1, "EUR": 125}  # as on the recorded servers
_OWN_ACCOUNTS = {"receivable": "121000", "payable": "211000"}
_COUNTRIES = {"US": "United States", "DE": "Germany", "SE": "Sweden", "FR": "France", "GB": "United Kingdom"}


def bootstrap(sandbox: Sandbox, passwords: Mapping[str, str] | None = None, company: str = "My Company") -> None:
    """Fill an empty sandbox. A user without a password in the map gets their login as one.

    Does nothing to books that already have a company, so that a restart keeps them.
    """
    if not sandbox.is_empty:
        return
    known = {user.login: user.login for user in PLAN.users} | dict(passwords or {})
    with sandbox.store.transaction():
        _currencies(sandbox.store)
        _company(sandbox.store, company)
        _groups(sandbox)
        _robots(sandbox.store, known.get(ADMIN, ADMIN))
    for country, name in _COUNTRIES.items():
        _create(sandbox, "res.country", {"code": country, "name": name})
    _books(sandbox, known)


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
            "active": int(code == PLAN.currency),
            "rounding": 10.0**-digits,
            "decimal_places": digits,
        }
        if code in _FIRST_IDS:
            row["id"] = _FIRST_IDS[code]
        store.insert("res_currency", row)


def _company(store: SqliteStore, name: str) -> None:
    currency = store.one("SELECT id FROM res_currency WHERE name = ?", (PLAN.currency,))
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
    for external_id, group in GROUPS.items():
        group_id = store.insert("res_groups", {"name": group[f"name_{sandbox.version}"]})
        module, name = external_id.split(".")
        store.insert("ir_model_data", {"module": module, "name": name, "model": "res.groups", "res_id": group_id})


def _robots(store: SqliteStore, admin_password: str) -> None:
    """Odoo's own user, and the administrator with the rights recorded for it."""
    for login, name, password in ((ROBOT_LOGIN, "OdooBot", None), (ADMIN, "Administrator", admin_password)):
        partner = store.insert("res_partner", {"name": name, "complete_name": name, "active": 1, "is_company": 0})
        store.update("res_partner", partner, {"commercial_partner_id": partner})
        secret = masters.hashed(password, login) if password else None
        row = {"name": name, "login": login, "password": secret, "active": int(bool(password)), "partner_id": partner}
        user_id = store.insert("res_users", row | {"company_id": COMPANY})
        for group in ("base.group_system", "account.group_account_manager", "base.group_partner_manager"):
            module, short = group.split(".")
            found = store.one("SELECT res_id FROM ir_model_data WHERE module = ? AND name = ?", (module, short))
            store.link("res_groups_users_rel", user_id, [found])


def _books(sandbox: Sandbox, passwords: Mapping[str, str]) -> None:
    """The plan's accounts, journals, taxes, partners and users, and what Odoo's own chart sets on the company."""
    store = sandbox.store
    _create(sandbox, "account.tax.group", {"name": "Taxes"})
    Provisioner(InProcess(sandbox, ROBOT_LOGIN), PLAN, passwords).run()
    accounts = {row["code"]: row["id"] for row in store.where("account_account")}
    own = {f"property_account_{side}_id": accounts[code] for side, code in _OWN_ACCOUNTS.items()}
    for row in store.where("res_partner"):
        store.update("res_partner", row["id"], own)
    journals = {journal.role: journal for journal in PLAN.journals}
    exchange = store.where("account_journal", code=journals["EXC"].code)[0]
    values = {
        "account_journal_suspense_account_id": accounts[journals["BNK"].suspense],
        "currency_exchange_journal_id": exchange["id"],
    }
    sandbox.execute(ROBOT, "res.company", "write", [[COMPANY], values])
