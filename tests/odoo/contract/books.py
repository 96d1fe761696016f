"""The company that the contract needs, found or made through the API alone, by codes.

The same code prepares a sandbox and a live server: nothing here knows which it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from libs.odoo.port import Odoo
from sandbox.chart import PLAN


@dataclass(slots=True)
class Books:
    """Ids by code, and days that keep their meaning whenever the suite runs."""

    version: int
    run: str
    today: date
    accounts: dict[str, int] = field(default_factory=dict)
    journals: dict[str, int] = field(default_factory=dict)
    taxes: dict[str, int] = field(default_factory=dict)
    currencies: dict[str, int] = field(default_factory=dict)
    partners: dict[str, int] = field(default_factory=dict)
    inactive_currency: int = 0
    inactive_currency_name: str = ""

    def account(self, role: str, currency: str | None = None) -> int:
        spec = next(one for one in PLAN.accounts if one.role == role and currency in (None, one.currency))
        return self.accounts[spec.code]

    def journal(self, role: str) -> int:
        return self.journals[next(one.code for one in PLAN.journals if one.role == role)]

    @property
    def day(self) -> str:
        """The 15th of the month before this one."""
        return (self.today.replace(day=1) - timedelta(days=1)).replace(day=15).isoformat()

    @property
    def month_end(self) -> str:
        return (self.today.replace(day=1) - timedelta(days=1)).isoformat()

    @property
    def lock(self) -> str:
        """The last day of the month before `day`'s."""
        return (date.fromisoformat(self.day).replace(day=1) - timedelta(days=1)).isoformat()

    @property
    def locked_day(self) -> str:
        return date.fromisoformat(self.lock).replace(day=10).isoformat()


def prepare(admin: Odoo, version: int, run: str, today: date) -> Books:
    """Make what is missing of the chart; what is there by its code is taken as it is."""
    books = Books(version, run, today)
    _currencies(admin, books)
    _accounts(admin, books)
    _journals(admin, books)
    _taxes(admin, books)
    _company(admin, books)
    for partner in PLAN.partners:
        books.partners[partner.name] = _once(
            admin, "res.partner", [["name", "=", partner.name]], {"name": partner.name}
        )
    return books


def _currencies(admin: Odoo, books: Books) -> None:
    rows = admin.execute("res.currency", "search_read", [[], ["name", "active"]], {"context": {"active_test": False}})
    books.currencies = {row["name"]: row["id"] for row in rows}
    active = {row["name"] for row in rows if row["active"]}
    for code in (PLAN.currency, *PLAN.currencies):
        if code not in active:
            admin.execute("res.currency", "write", [[books.currencies[code]], {"active": True}])
    spare = next(row for row in rows if row["name"] in ("SEK", "NOK", "DKK", "PLN") and not row["active"])
    books.inactive_currency, books.inactive_currency_name = spare["id"], spare["name"]
    for rate in PLAN.rates:
        currency = books.currencies[rate.currency]
        domain = [["currency_id", "=", currency], ["name", "=", rate.date]]
        values = {"currency_id": currency, "name": rate.date, "inverse_company_rate": float(rate.value)}
        _once(admin, "res.currency.rate", domain, values)


def _accounts(admin: Odoo, books: Books) -> None:
    for spec in PLAN.accounts:
        values: dict[str, Any] = {
            "code": spec.code,
            "name": spec.name,
            "account_type": spec.type,
            "reconcile": spec.reconcile,
        }
        if spec.currency:
            values["currency_id"] = books.currencies[spec.currency]
        books.accounts[spec.code] = _once(admin, "account.account", [["code", "=", spec.code]], values)


def _journals(admin: Odoo, books: Books) -> None:
    for spec in PLAN.journals:
        values: dict[str, Any] = {"code": spec.code, "name": spec.name, "type": spec.type}
        if spec.account:
            values["default_account_id"] = books.accounts[spec.account]
        if spec.suspense:
            values["suspense_account_id"] = books.accounts[spec.suspense]
        books.journals[spec.code] = _once(admin, "account.journal", [["code", "=", spec.code]], values)


def _taxes(admin: Odoo, books: Books) -> None:
    for spec in PLAN.taxes:
        parts = [
            [0, 0, {"repartition_type": "base", "factor_percent": 100.0}],
            [0, 0, {"repartition_type": "tax", "factor_percent": 100.0, "account_id": books.accounts[spec.account]}],
        ]
        values = {
            "name": spec.name,
            "amount": float(spec.percent),
            "type_tax_use": spec.use,
            "invoice_repartition_line_ids": parts,
            "refund_repartition_line_ids": parts,
        }
        domain = [["name", "=", spec.name], ["type_tax_use", "=", spec.use]]
        books.taxes[spec.code] = _once(admin, "account.tax", domain, values)
    bare = {"name": "Tax without an account", "amount": 10.0, "type_tax_use": "sale"}
    books.taxes["BARE"] = _once(admin, "account.tax", [["name", "=", bare["name"]]], bare)


def _company(admin: Odoo, books: Books) -> None:
    differences = ["income_currency_exchange_account_id", "expense_currency_exchange_account_id"]
    fields = [*differences, "currency_exchange_journal_id"]
    company = admin.execute("res.company", "search_read", [[["id", "=", 1]], fields])[0]
    wanted: dict[str, Any] = {
        name: books.accounts[PLAN.exchange]
        for name in differences
        if not company[name] or company[name][0] != books.accounts[PLAN.exchange]
    }
    if not company["currency_exchange_journal_id"]:
        wanted["currency_exchange_journal_id"] = books.journal("EXC")
    if wanted:
        admin.execute("res.company", "write", [[1], wanted])


def _once(admin: Odoo, model: str, domain: list[Any], values: dict[str, Any]) -> int:
    found = admin.execute(model, "search", [domain], {"limit": 1})
    return int(found[0] if found else admin.execute(model, "create", [values]))
