"""Masters out of Odoo, 18 and 19, by pages: the adapter knows the fields' names, nobody else does.

Fields and rights behind each call: ODOO_REALITY §2 and §8. Odoo lists active records only, so whatever a reading does
not hold is no longer in use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from libs.odoo.port import Odoo
from libs.telemetry.odoo import of_company

from ..domain.errors import CompanyAmbiguous, CompanyUnknown
from ..domain.numbers import decimal_text
from ..domain.records import (
    Account,
    Currency,
    ExchangeRate,
    Journal,
    LegalEntity,
    Party,
    Product,
    Reading,
    TaxCode,
)

PAGE = 1000
_COMPANY = [
    *("name", "currency_id", "tax_calculation_rounding_method"),
    *("income_currency_exchange_account_id", "expense_currency_exchange_account_id"),
]
_ACCOUNT = ["code", "name", "account_type", "reconcile", "currency_id"]
_JOURNAL = ["code", "name", "type", "currency_id", "default_account_id", "suspense_account_id"]
_TAX = ["name", "amount", "amount_type", "type_tax_use", "price_include"]
_REPARTITION = ["tax_id", "account_id", "factor_percent"]

Row = dict[str, Any]


class OdooMasters:
    """Fulfils `ports.MasterSource` with a user who may read masters (`account.group_account_readonly` suffices)."""

    def __init__(self, odoo: Odoo, page: int = PAGE) -> None:
        self._odoo = odoo
        self._page = page

    def read(self, company: str, odoo_company: int) -> Reading:
        """See `ports.MasterSource.read`. Odoo may change between its calls; the next reading mends that."""
        odoo = of_company(self._odoo, company)
        row = _company(odoo, odoo_company)
        reading = _CompanyReader(odoo, self._page, row["id"])
        currencies = reading.currencies()
        codes = {currency.odoo_id: currency.code for currency in currencies}
        entity = LegalEntity(
            company=company,
            odoo_id=row["id"],
            display_name=row["name"],
            currency=codes.get(_id(row["currency_id"]), _label(row["currency_id"])),
            gain_account=_id(row["income_currency_exchange_account_id"]),
            loss_account=_id(row["expense_currency_exchange_account_id"]),
            rounds_by_line=row["tax_calculation_rounding_method"] != "round_globally",
        )
        return Reading(
            entity=entity,
            accounts=reading.accounts(codes),
            journals=reading.journals(codes),
            tax_codes=reading.tax_codes(),
            currencies=currencies,
            exchange_rates=reading.exchange_rates(codes),
            parties=reading.parties(),
            products=reading.products(),
        )


def _company(odoo: Odoo, odoo_company: int) -> Row:
    domain = [["id", "=", odoo_company]] if odoo_company else []
    rows: list[Row] = odoo.execute("res.company", "search_read", [domain], {"fields": _COMPANY, "limit": 2})
    if not rows:
        raise CompanyUnknown("Odoo shows this user no such company")
    if len(rows) > 1:
        raise CompanyAmbiguous("Odoo shows this user several companies: configure which one is meant")
    return rows[0]


class _CompanyReader:
    """The masters of one company of Odoo."""

    def __init__(self, odoo: Odoo, page: int, company_id: int) -> None:
        self._odoo = odoo
        self._page = page
        self._id = company_id

    def currencies(self) -> tuple[Currency, ...]:
        return tuple(Currency(row["name"], row["id"]) for row in self._rows("res.currency", [], ["name"]))

    def accounts(self, currencies: dict[int, str]) -> tuple[Account, ...]:
        # 18 marks accounts as deprecated; 19 archives them, and then does not list them.
        known = self._odoo.execute("account.account", "fields_get", [["deprecated"], ["type"]])
        domain: list[Any] = [["company_ids", "in", [self._id]]]
        if "deprecated" in known:
            domain.append(["deprecated", "=", False])
        return tuple(
            Account(
                odoo_id=row["id"],
                code=row["code"],
                name=row["name"],
                type=row["account_type"],
                reconcilable=bool(row["reconcile"]),
                currency=currencies.get(_id(row["currency_id"]), ""),
            )
            for row in self._rows("account.account", domain, _ACCOUNT)
            if row["code"]  # an account without one belongs to another company of the same chart
        )

    def journals(self, currencies: dict[int, str]) -> tuple[Journal, ...]:
        return tuple(
            Journal(
                odoo_id=row["id"],
                code=row["code"],
                name=row["name"],
                type=row["type"],
                currency=currencies.get(_id(row["currency_id"]), ""),
                default_account=_id(row["default_account_id"]),
                suspense_account=_id(row["suspense_account_id"]),
            )
            for row in self._rows("account.journal", self._own(), _JOURNAL)
        )

    def tax_codes(self) -> tuple[TaxCode, ...]:
        parts: dict[int, list[Row]] = defaultdict(list)
        domain = [["repartition_type", "=", "tax"], *self._own()]
        for part in self._rows("account.tax.repartition.line", domain, _REPARTITION):
            parts[_id(part["tax_id"])].append(part)
        return tuple(_tax_code(row, parts[row["id"]]) for row in self._rows("account.tax", self._own(), _TAX))

    def exchange_rates(self, currencies: dict[int, str]) -> tuple[ExchangeRate, ...]:
        """Rates of currencies in use; the company's own one wins over one for all companies."""
        found: dict[tuple[str, str], tuple[bool, ExchangeRate]] = {}
        fields = ["name", "currency_id", "company_rate", "company_id"]
        for row in self._rows("res.currency.rate", self._own_or_shared(), fields):
            code, own = currencies.get(_id(row["currency_id"]), ""), bool(row["company_id"])
            if not code or not row["company_rate"]:
                continue
            known = found.get((code, row["name"]))
            if known is None or own or not known[0]:
                found[(code, row["name"])] = (own, ExchangeRate(code, row["name"], _decimal(row["company_rate"])))
        return tuple(rate for _, rate in found.values())

    def parties(self) -> tuple[Party, ...]:
        fields = ["name", "complete_name", "commercial_partner_id"]
        return tuple(
            Party(
                odoo_id=row["id"],
                name=row["complete_name"] or row["name"] or "",
                commercial_odoo_id=_id(row["commercial_partner_id"]) or row["id"],
            )
            for row in self._rows("res.partner", self._own_or_shared(), fields)
        )

    def products(self) -> tuple[Product, ...]:
        return tuple(
            Product(odoo_id=row["id"], sku=row["default_code"] or "", name=row["name"])
            for row in self._rows("product.product", self._own_or_shared(), ["default_code", "name"])
        )

    def _own(self) -> list[Any]:
        return [["company_id", "=", self._id]]

    def _own_or_shared(self) -> list[Any]:
        return [["company_id", "in", [False, self._id]]]

    def _rows(self, model: str, domain: Sequence[Any], fields: list[str]) -> Iterator[Row]:
        """All records, by pages after the last id: none is skipped or told twice, whatever happens in between."""
        last = 0
        context = {"allowed_company_ids": [self._id]}  # account codes are the company's
        while True:
            rows: list[Row] = self._odoo.execute(
                model,
                "search_read",
                [[*domain, ["id", ">", last]]],
                {"fields": fields, "limit": self._page, "order": "id", "context": context},
            )
            yield from rows
            if len(rows) < self._page:
                return
            last = rows[-1]["id"]


def _tax_code(row: Row, parts: Sequence[Row]) -> TaxCode:
    accounts = {_id(part["account_id"]) for part in parts}
    return TaxCode(
        odoo_id=row["id"],
        name=row["name"],
        # Fixed amounts, divisions and groups have no rate that a source could mean.
        rate=_decimal(row["amount"], shift=-2) if row["amount_type"] == "percent" else "",
        use=row["type_tax_use"],
        # Without account the tax lands on the line's own account, silently. A group has no line of its own.
        repartition_complete=bool(parts) and all(part["account_id"] or not part["factor_percent"] for part in parts),
        repartition_accounts=" ".join(str(account) for account in sorted(accounts - {0})),
        price_included=bool(row["price_include"]),
    )


def _id(value: Any) -> int:
    """The id in a many2one cell: `[7, "name"]`, or false."""
    return int(value[0]) if value else 0


def _label(value: Any) -> str:
    return str(value[1]) if value else ""


def _decimal(number: float, shift: int = 0) -> str:  # Odoo's JSON has floats; their shortest spelling is what was meant
    return decimal_text(Decimal(repr(number)).scaleb(shift))
