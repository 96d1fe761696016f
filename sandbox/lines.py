"""Journal items: amounts in two currencies, residuals, and what an entry's line takes from its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import identity, records
from .currency import digits_of, shown, to_company
from .env import Env
from .failures import ServerFailure, constraint_error, user_error
from .fields import Model
from .naming import move_name
from .store import Row
from .values import round_micro, stored, to_micro, units

MODEL = "account.move.line"
TERM_ACCOUNTS = ("asset_receivable", "liability_payable")
CASH_ACCOUNTS = ("asset_cash", "liability_credit_card")
AMOUNTS = ("debit", "credit", "balance", "amount_currency", "currency_id")
_WRONG_SIGN = (
    "The amount expressed in the secondary currency must be positive when account is debited and negative when "
    "account is credited. If the currency is the same as the one from the company, this amount must strictly be "
    "equal to the balance."
)
_SECONDARY = (
    "The account selected on your journal entry forces to provide a secondary currency. "
    "You should remove the secondary currency on the account."
)


def of_move(env: Env, move_id: int) -> list[Row]:
    return env.store.where("account_move_line", "id", move_id=move_id)


def shared(move: Row) -> Row:
    """The document's fields that every line repeats."""
    return {
        "move_id": move["id"],
        "move_name": move["name"],
        "parent_state": move["state"],
        "date": move["date"],
        "ref": move["ref"],
        "journal_id": move["journal_id"],
        "company_id": move["company_id"],
        "statement_line_id": move["statement_line_id"],
    }


def add(env: Env, move: Row, values: Mapping[str, Any]) -> int:
    """A line of an entry: the amounts are the caller's."""
    model = env.model(MODEL)
    records.check_fields(env, model, values)
    row = shared(move) | plain_columns(env, model, values)
    account = account_of(env, row)
    if "partner_id" not in values:
        row["partner_id"] = move["commercial_partner_id"]
    if not row.get("display_type"):
        row["display_type"] = "payment_term" if account["account_type"] in TERM_ACCOUNTS else "product"
    row |= amounts(env, move, values, None)
    check_currency(env, account, row["currency_id"])
    row |= open_amounts(account, row)
    row.setdefault("quantity", 1.0)
    line_id = records.insert(env, model, row)
    set_taxes(env, line_id, values)
    return line_id


def set_taxes(env: Env, line_id: int, values: Mapping[str, Any]) -> None:
    """Link the line with the taxes that the values name, if they do."""
    if "tax_ids" in values:
        records.relate(env, env.model(MODEL), line_id, {"tax_ids": values["tax_ids"]})


def have_tax(env: Env, move_id: int) -> bool:
    """Whether the document touches the tax report: a line with a tax, or of one."""
    return bool(
        env.store.one(
            "SELECT 1 FROM account_move_line l WHERE l.move_id = ? AND (l.tax_line_id IS NOT NULL OR EXISTS"
            " (SELECT 1 FROM account_move_line_account_tax_rel r WHERE r.left_id = l.id)) LIMIT 1",
            (move_id,),
        )
    )


def plain_columns(env: Env, model: Model, values: Mapping[str, Any]) -> Row:
    """The columns that are not amounts; an account or partner that does not exist is refused."""
    row = {}
    for name, value in values.items():
        field = model.fields[name]
        if field.stored and name not in AMOUNTS and not (field.readonly and name != "tax_line_id"):
            row[name] = stored(env, model, name, field, value)
    return row


def account_of(env: Env, row: Row) -> Row:
    account = env.store.get("account_account", row.get("account_id"))
    if account is None:
        raise constraint_error("Missing required account on accountable line.")
    return account


def check_currency(env: Env, account: Row, currency_id: int) -> None:
    """An account with a currency of its own takes no other."""
    fixed = account["currency_id"]
    if fixed and fixed not in (currency_id, env.company["currency_id"]):
        raise user_error(_SECONDARY)


def amounts(env: Env, move: Row, values: Mapping[str, Any], before: Row | None) -> Row:
    """Balance, debit, credit and amount in currency, from what is given and what was there.

    The caller's balance is kept. In the company's currency `amount_currency` wins, even
    an empty one. Only `amount_currency` given: Odoo's own rate at the date makes the balance.
    """
    company_currency = env.company["currency_id"]
    currency_id = _currency(env, move, values, before)
    digits = digits_of(env, company_currency)
    balance = _given_balance(values, digits)
    foreign = _number(values, "amount_currency", digits_of(env, currency_id))
    if currency_id == company_currency:
        if foreign is not None:
            balance = foreign
        elif balance is None:
            balance = before["balance"] if before else _balancing(env, move)
        foreign = balance
    elif balance is None and foreign is not None:
        balance = to_company(env, foreign, currency_id, move["invoice_date"] or move["date"])
    else:
        if balance is None:
            balance = before["balance"] if before else _balancing(env, move)
        if foreign is None:
            foreign = before["amount_currency"] if before else 0
    if (balance > 0 > foreign) or (balance < 0 < foreign):
        raise constraint_error(_WRONG_SIGN)
    return {"currency_id": currency_id, "amount_currency": foreign, **sides(balance)}


def sides(balance: int) -> Row:
    return {"balance": balance, "debit": max(balance, 0), "credit": max(-balance, 0)}


def _currency(env: Env, move: Row, values: Mapping[str, Any], before: Row | None) -> int:
    model = env.model(MODEL)
    field = model.fields["currency_id"]
    if "currency_id" in values:
        chosen = stored(env, model, "currency_id", field, values["currency_id"])
        if chosen is None:
            raise records.missing_value(model, "currency_id", field)
        return int(chosen)
    if before is not None:
        return int(before["currency_id"])
    return int(move["currency_id"] if move["move_type"] != "entry" else env.company["currency_id"])


def _given_balance(values: Mapping[str, Any], digits: int) -> int | None:
    if "balance" in values:
        return _number(values, "balance", digits)
    if "debit" in values or "credit" in values:
        debit, credit = _number(values, "debit", 6) or 0, _number(values, "credit", 6) or 0
        return round_micro(units(debit - credit), digits)
    return None


def _number(values: Mapping[str, Any], name: str, digits: int) -> int | None:
    if name not in values:
        return None
    try:
        return to_micro(values[name], digits)
    except (ValueError, TypeError) as error:
        raise ServerFailure(f"builtins.{type(error).__name__}", str(error)) from None


def _balancing(env: Env, move: Row) -> int:
    """A line of an entry without any amount balances the lines before it."""
    total = env.store.one("SELECT SUM(balance) FROM account_move_line WHERE move_id = ?", (move["id"],))
    return -int(total or 0)


def is_tracked(account: Row) -> bool:
    """Whether the account's lines can be matched, so that something can be open on them."""
    return bool(account["reconcile"] or account["account_type"] in CASH_ACCOUNTS)


def open_amounts(account: Row, row: Row) -> Row:
    """What is open on a line that nothing is matched with yet."""
    tracked = is_tracked(account)
    balance, foreign = (row["balance"], row["amount_currency"]) if tracked else (0, 0)
    done = tracked and row["parent_state"] == "posted" and not balance and not foreign
    return {"amount_residual": balance, "amount_residual_currency": foreign, "reconciled": int(done)}


def change(env: Env, move: Row, line: Row, values: Mapping[str, Any]) -> None:
    """New values on a line of an entry; with another account or amount the residual starts anew."""
    model = env.model(MODEL)
    records.check_fields(env, model, values)
    row = plain_columns(env, model, values)
    if any(name in values for name in AMOUNTS):
        row |= amounts(env, move, values, line)
    after = line | row
    account = account_of(env, after)
    check_currency(env, account, after["currency_id"])
    if any(row.get(name, line[name]) != line[name] for name in ("account_id", "balance", "amount_currency")):
        row |= open_amounts(account, after)
    records.update(env, model, line["id"], row)
    set_taxes(env, line["id"], values)


def remove(env: Env, line_ids: Sequence[int]) -> None:
    """Lines go with their taxes and external ids."""
    for line_id in line_ids:
        env.store.unlink_all("account_move_line_account_tax_rel", line_id)
    env.store.delete("account_move_line", line_ids)
    identity.forget(env, MODEL, line_ids)


def check_balanced(env: Env, move: Row) -> None:
    """Refused while it is made, not only when it is posted."""
    row = env.store.rows("SELECT SUM(debit), SUM(credit) FROM account_move_line WHERE move_id = ?", (move["id"],))[0]
    debit, credit = int(row[0] or 0), int(row[1] or 0)
    if debit == credit:
        return
    if env.version >= 19:
        raise user_error("The entry is not balanced.")
    journal = env.store.need("account_journal", move["journal_id"])
    raise user_error(
        f"An error has occurred.\n\nThe move ({move_name(move, numbered=False)}) is not balanced.\n"
        f"The total of debits equals {shown(env, debit)} and the total of credits equals {shown(env, credit)}.\n"
        f'You might want to specify a default account on journal "{journal["name"]}" '
        "to automatically balance each move."
    )
