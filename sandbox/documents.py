"""Invoices, bills and credit notes: tax and receivable lines follow from the priced ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from . import lines, records, taxes
from .currency import digits_of, rate_at
from .env import Env
from .failures import beyond_the_sandbox
from .kinds import REFUNDS, SALES, direction, is_document
from .store import Row
from .values import is_empty, round_micro, units


def add_line(env: Env, move: Row, values: Mapping[str, Any]) -> int:
    """A priced line; `sync` makes its amounts and the lines that follow from it."""
    model = env.model(lines.MODEL)
    records.check_fields(env, model, values)
    if any(not is_empty(values.get(name)) for name in ("debit", "credit", "balance", "amount_currency")):
        raise beyond_the_sandbox("invoice lines with amounts of their own instead of a price")
    if values.get("display_type") in ("line_section", "line_note"):
        raise beyond_the_sandbox("sections and notes on documents")
    given = dict(values)
    _fill(env, move, given, env.store.get("product_product", _id(given.get("product_id"))))
    row = lines.shared(move) | lines.plain_columns(env, model, given)
    row |= {"display_type": "product", "currency_id": move["currency_id"], "amount_currency": 0, **lines.sides(0)}
    row |= {"amount_residual": 0, "amount_residual_currency": 0, "reconciled": 0}
    if "partner_id" not in given:
        row["partner_id"] = move["commercial_partner_id"]
    lines.check_currency(env, lines.account_of(env, row), row["currency_id"])
    line_id = records.insert(env, model, row)
    lines.set_taxes(env, line_id, given)
    return line_id


def _id(value: Any) -> int | None:
    return int(value) if not is_empty(value) else None


def _fill(env: Env, move: Row, values: dict[str, Any], product: Row | None) -> None:
    """What Odoo takes from product, account and journal where the caller is silent."""
    sale = move["move_type"] in SALES
    if is_empty(values.get("account_id")) and "account_id" not in values:
        account = product and product["property_account_income_id" if sale else "property_account_expense_id"]
        journal = env.store.need("account_journal", move["journal_id"])
        values["account_id"] = account or journal["default_account_id"]
    values.setdefault("quantity", 1.0)
    if "price_unit" not in values:
        values["price_unit"] = (product["list_price" if sale else "standard_price"] if product else 0.0) or 0.0
    if "name" not in values and product:
        code = f"[{product['default_code']}] " if product["default_code"] else ""
        values["name"] = f"{code}{product['name']}"
    if "tax_ids" not in values:
        table = "product_taxes_rel" if sale else "product_supplier_taxes_rel"
        found = env.store.linked(table, product["id"]) if product else []
        account_id = _id(values.get("account_id"))
        found = found or (env.store.linked("account_account_tax_default_rel", account_id) if account_id else [])
        values["tax_ids"] = [[6, 0, found]]


def change_line(env: Env, move: Row, line: Row, values: Mapping[str, Any]) -> None:
    """New values on a priced line of a draft."""
    model = env.model(lines.MODEL)
    records.check_fields(env, model, values)
    records.update(env, model, line["id"], lines.plain_columns(env, model, values))
    lines.set_taxes(env, line["id"], values)


@dataclass(slots=True)
class _TaxLine:
    """What becomes one tax line: the parts that share distribution line, account and partner."""

    name: str
    tax_id: int
    amount: Decimal = Decimal(0)
    base: Decimal = Decimal(0)
    rounded: int = 0


def sync(env: Env, move: Row) -> None:
    """Bring tax lines, the receivable or payable line and the totals in step with the priced lines."""
    found = lines.of_move(env, move["id"])
    priced = [line for line in found if line["display_type"] == "product"]
    digits = digits_of(env, move["currency_id"])
    company_digits = digits_of(env, env.company["currency_id"])
    day = move["invoice_date"] or move["date"] or env.today
    rate = rate_at(env, move["currency_id"], day)
    sign = direction(move["move_type"])
    per_line = env.company["tax_calculation_rounding_method"] != "round_globally"
    totals: dict[tuple[Any, ...], _TaxLine] = {}
    balance_sum = foreign_sum = untaxed = 0
    for line in priced:
        price = Decimal(repr(line["price_unit"] or 0.0)) * (1 - Decimal(repr(line["discount"] or 0.0)) / 100)
        subtotal = price * Decimal(repr(line["quantity"] or 0.0))
        tax_ids = env.store.linked("account_move_line_account_tax_rel", line["id"])
        net = round_micro(subtotal, digits)
        untaxed += net
        taxed = net
        for share in taxes.of_line(env, subtotal, tax_ids, move["move_type"] in REFUNDS):
            key = (share.repartition_id, share.account_id or line["account_id"])
            total = totals.setdefault(key, _TaxLine(share.tax_name, share.tax_id))
            total.amount += share.amount
            total.base += share.base
            total.rounded += round_micro(share.amount, digits)
            taxed += round_micro(share.amount, digits)
        balance = round_micro(units(sign * net) / rate, company_digits)
        row = {"amount_currency": sign * net, "price_subtotal": net, "price_total": taxed, **lines.sides(balance)}
        row |= {"currency_id": move["currency_id"], "partner_id": move["commercial_partner_id"]}
        env.store.update("account_move_line", line["id"], row)
        balance_sum += balance
        foreign_sum += sign * net
    tax_sum = 0
    wanted: dict[tuple[Any, ...], Row] = {}
    for key, total in totals.items():
        amount = total.rounded if per_line else round_micro(total.amount, digits)
        if not amount:
            continue
        balance = round_micro(units(sign * amount) / rate, company_digits)
        base_amount = round_micro(total.base / rate, company_digits) * (sign if env.version >= 19 else 1)
        wanted[key] = _tax_row(move, total, key, sign * amount, balance, base_amount)
        tax_sum += amount
        balance_sum += balance
        foreign_sum += sign * amount
    _place_taxes(env, move, [line for line in found if line["display_type"] == "tax"], wanted)
    terms = [line for line in found if line["display_type"] == "payment_term"]
    _place_term(env, move, terms, -balance_sum, -foreign_sum, bool(priced))
    totals_row = {"amount_untaxed": untaxed, "amount_tax": tax_sum, "amount_total": untaxed + tax_sum}
    env.store.update("account_move", move["id"], totals_row | {"amount_total_signed": -sign * abs(balance_sum)})
    refresh(env, move["id"])


def _tax_row(move: Row, total: _TaxLine, key: tuple[Any, ...], foreign: int, balance: int, base: int) -> Row:
    repartition_id, account_id = key
    return {
        "name": total.name,
        "account_id": account_id,
        "partner_id": move["commercial_partner_id"],
        "display_type": "tax",
        "tax_line_id": total.tax_id,
        "tax_repartition_line_id": repartition_id,
        "tax_base_amount": base,
        "amount_currency": foreign,
        **lines.sides(balance),
    }


def _place_taxes(env: Env, move: Row, existing: list[Row], wanted: dict[tuple[Any, ...], Row]) -> None:
    """Update the tax lines that are there, add what is missing, remove what is left over."""
    for line in existing:
        key = (line["tax_repartition_line_id"], line["account_id"])
        row = wanted.pop(key, None)
        if row is None:
            lines.remove(env, [line["id"]])
        else:
            env.store.update("account_move_line", line["id"], row | {"currency_id": move["currency_id"]})
    for row in wanted.values():
        _insert(env, move, row)


def _place_term(env: Env, move: Row, existing: list[Row], balance: int, foreign: int, needed: bool) -> None:
    if not needed and not existing:
        return
    row = {
        "account_id": _term_account(env, move),
        "partner_id": move["commercial_partner_id"],
        "display_type": "payment_term",
        "name": move["payment_reference"],
        "date_maturity": move["invoice_date_due"],
        "amount_currency": foreign,
        **lines.sides(balance),
    }
    if existing:
        account = env.store.need("account_account", row["account_id"])
        row |= {"currency_id": move["currency_id"], "parent_state": move["state"]}
        env.store.update("account_move_line", existing[0]["id"], row | lines.open_amounts(account, row))
        lines.remove(env, [line["id"] for line in existing[1:]])
    else:
        _insert(env, move, row)


def _insert(env: Env, move: Row, row: Row) -> None:
    full = lines.shared(move) | row | {"currency_id": move["currency_id"], "quantity": 1.0}
    account = lines.account_of(env, full)
    records.insert(env, env.model(lines.MODEL), full | lines.open_amounts(account, full))


def _term_account(env: Env, move: Row) -> int:
    """The partner's receivable or payable account, else the chart's first."""
    sale = move["move_type"] in SALES
    partner = env.store.get("res_partner", move["commercial_partner_id"])
    own = partner and partner["property_account_receivable_id" if sale else "property_account_payable_id"]
    if own:
        return int(own)
    kind = "asset_receivable" if sale else "liability_payable"
    found = env.store.one("SELECT id FROM account_account WHERE account_type = ? ORDER BY code LIMIT 1", (kind,))
    if found is None:
        raise beyond_the_sandbox("a chart without receivable and payable accounts")
    return int(found)


def refresh(env: Env, move_id: int) -> None:
    """The document's open amount and payment status, from its receivable or payable lines."""
    move = env.store.need("account_move", move_id)
    if not is_document(move):
        return
    sums = env.store.rows(
        "SELECT SUM(amount_residual), SUM(amount_residual_currency) FROM account_move_line"
        " WHERE move_id = ? AND display_type = 'payment_term'",
        (move_id,),
    )[0]
    residual, residual_currency = int(sums[0] or 0), int(sums[1] or 0)
    sign = -direction(move["move_type"])
    row: Row = {
        "amount_residual": sign * residual_currency,
        "amount_residual_signed": residual,
        "payment_state": _payment_state(env, move, residual_currency),
    }
    env.store.update("account_move", move_id, row)


_COUNTERPARTS = """
SELECT DISTINCT m.move_type FROM (
  SELECT p.credit_move_id AS line_id FROM account_move_line own
    JOIN account_partial_reconcile p ON p.debit_move_id = own.id
   WHERE own.move_id = ? AND own.display_type = 'payment_term'
  UNION ALL
  SELECT p.debit_move_id FROM account_move_line own
    JOIN account_partial_reconcile p ON p.credit_move_id = own.id
   WHERE own.move_id = ? AND own.display_type = 'payment_term') matched
  JOIN account_move_line other ON other.id = matched.line_id
  JOIN account_move m ON m.id = other.move_id
 WHERE NOT EXISTS (SELECT 1 FROM account_partial_reconcile x WHERE x.exchange_move_id = m.id)
"""


def _payment_state(env: Env, move: Row, residual_currency: int) -> str:
    """Odoo Community calls a document paid as soon as nothing is open: it proves nothing about cash."""
    if move["state"] != "posted":
        return "not_paid"
    counterparts = env.store.rows(_COUNTERPARTS, (move["id"], move["id"]))
    kinds = {row[0] for row in counterparts}
    if residual_currency:
        return "partial" if kinds else "not_paid"
    reversing = {
        "out_invoice": ({"out_refund"}, {"out_refund", "entry"}),
        "in_invoice": ({"in_refund"}, {"in_refund", "entry"}),
        "out_refund": ({"entry"},),
        "in_refund": ({"entry"},),
    }
    return "reversed" if kinds in reversing.get(move["move_type"], ()) else "paid"
