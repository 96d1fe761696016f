"""Fields that are made when they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from . import locks
from .currency import rate_at, shown
from .env import Env
from .failures import beyond_the_sandbox
from .fields import MICRO
from .store import Row

Computation: TypeAlias = Callable[[Env, Row], Any]


def compute(env: Env, model: str, name: str, rows: list[Row]) -> dict[int, Any]:
    """The field's values by id, as JSON."""
    computation = _COMPUTATIONS.get((model, name))
    if computation is None:
        raise beyond_the_sandbox(f"the field {name} of {model}")
    return {row["id"]: computation(env, row) for row in rows}


def _user_lock(name: str) -> Computation:
    return lambda env, row: locks.user_lock(env, row, name) or locks.NEVER


def _exception_state(env: Env, row: Row) -> str:
    if not row["active"]:
        return "revoked"
    return "expired" if row["end_datetime"] and row["end_datetime"] <= env.stamp else "active"


def _duplicates(env: Env, row: Row) -> list[int]:
    """Other bills of the same vendor with the same reference: a hint, never a refusal."""
    if not row["ref"] or row["move_type"] not in ("in_invoice", "in_refund"):
        return []
    rows = env.store.rows(
        "SELECT id FROM account_move WHERE ref = ? AND move_type = ? AND commercial_partner_id IS ? AND id != ?"
        " AND state != 'cancel' ORDER BY id",
        (row["ref"], row["move_type"], row["commercial_partner_id"], row["id"]),
    )
    return [found[0] for found in rows]


def _statement_end(env: Env, row: Row) -> int:
    moved = env.store.one("SELECT SUM(amount) FROM account_bank_statement_line WHERE statement_id = ?", (row["id"],))
    return int((row["balance_start"] or 0) + (moved or 0))


def _statement_complete(env: Env, row: Row) -> bool:
    return _statement_end(env, row) == (row["balance_end_real"] or 0)


def _statement_valid(env: Env, row: Row) -> bool:
    """Whether it starts where the journal's statement before it ended."""
    before = env.store.one(
        "SELECT balance_end_real FROM account_bank_statement WHERE journal_id IS ? AND id < ? ORDER BY id DESC LIMIT 1",
        (row["journal_id"], row["id"]),
    )
    return before is None or before == (row["balance_start"] or 0)


def _statement_problem(env: Env, row: Row) -> Any:
    if not _statement_valid(env, row):
        return (
            "The starting balance doesn't match the ending balance of the previous statement, "
            "or an earlier statement is missing."
        )
    if not _statement_complete(env, row):
        amount = shown(env, _statement_end(env, row), row["currency_id"])
        return f"The running balance ({amount}) doesn't match the specified ending balance."
    return False


_COMPUTATIONS: dict[tuple[str, str], Computation] = {
    ("res.groups", "full_name"): lambda env, row: str(row["name"]),
    **{("res.company", f"user_{name}"): _user_lock(name) for name in locks.FIELDS},
    ("account.lock_exception", "state"): _exception_state,
    ("res.currency", "rate"): lambda env, row: float(rate_at(env, row["id"], env.today)),
    ("res.currency.rate", "inverse_company_rate"): lambda env, row: 1.0 / (row["rate"] or 1.0),
    ("res.currency.rate", "company_rate"): lambda env, row: float(row["rate"] or 1.0),
    ("ir.model.data", "complete_name"): lambda env, row: f"{row['module']}.{row['name']}",
    ("account.tax", "price_include"): lambda env, row: row["price_include_override"] == "tax_included",
    ("account.move", "invoice_currency_rate"): lambda env, row: float(
        rate_at(env, row["currency_id"], row["invoice_date"] or row["date"])
    ),
    ("account.move", "duplicated_ref_ids"): _duplicates,
    ("account.bank.statement", "balance_end"): lambda env, row: _statement_end(env, row) / MICRO,
    ("account.bank.statement", "is_complete"): _statement_complete,
    ("account.bank.statement", "is_valid"): _statement_valid,
    ("account.bank.statement", "problem_description"): _statement_problem,
}
