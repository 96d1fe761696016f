"""Partials: what two lines settle of each other, and what they close in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import documents
from .env import COMPANY, Env
from .failures import ServerFailure, user_error
from .store import Row


@dataclass(slots=True)
class Pairing:
    """How much two lines settle of each other; `gap`s are what remains in the company's currency alone."""

    amount: int
    debit_currency_amount: int
    credit_currency_amount: int
    debit_gap: int = 0
    credit_gap: int = 0


def insert(env: Env, debit: Row, credit: Row, pairing: Pairing) -> int:
    """Record the partial and lower what is open on both lines."""
    partial_id = env.store.insert(
        "account_partial_reconcile",
        {
            "debit_move_id": debit["id"],
            "credit_move_id": credit["id"],
            "amount": pairing.amount,
            "debit_amount_currency": pairing.debit_currency_amount,
            "credit_amount_currency": pairing.credit_currency_amount,
            "debit_currency_id": debit["currency_id"],
            "credit_currency_id": credit["currency_id"],
            "company_id": COMPANY,
            "max_date": max(debit["date"], credit["date"]),
            "create_date": env.stamp,
            "write_date": env.stamp,
        },
    )
    _lower(env, debit, pairing.amount, pairing.debit_currency_amount)
    _lower(env, credit, -pairing.amount, -pairing.credit_currency_amount)
    return partial_id


def _lower(env: Env, line: Row, amount: int, amount_currency: int) -> None:
    line["amount_residual"] -= amount
    line["amount_residual_currency"] -= amount_currency
    line["reconciled"] = int(not line["amount_residual"] and not line["amount_residual_currency"])
    names = ("amount_residual", "amount_residual_currency", "reconciled")
    env.store.update("account_move_line", line["id"], {name: line[name] for name in names})


def conclude(env: Env, partial_ids: Iterable[int]) -> None:
    """Number what is matched, close what is matched in full, and refresh the documents."""
    seen: set[int] = set()
    for partial_id in partial_ids:
        partial = env.store.need("account_partial_reconcile", partial_id)
        if partial["debit_move_id"] in seen:
            continue
        group, links = _component(env, partial["debit_move_id"])
        seen |= group
        rows = env.store.get_all("account_move_line", sorted(group))
        if all(row["reconciled"] for row in rows.values()):
            _close(env, group, links)
        else:
            for line_id in group:
                env.store.update("account_move_line", line_id, {"matching_number": f"P{min(links)}"})
    refresh_documents(env, seen)


def refresh_documents(env: Env, line_ids: Iterable[int]) -> None:
    """Bring the open amounts and payment statuses of the lines' documents up to date."""
    rows = env.store.get_all("account_move_line", sorted(line_ids)).values()
    for move_id in sorted({row["move_id"] for row in rows}):
        documents.refresh(env, move_id)


def _component(env: Env, line_id: int) -> tuple[set[int], set[int]]:
    """All lines that partials join with this one, and those partials."""
    group, links, waiting = {line_id}, set(), [line_id]
    while waiting:
        current = waiting.pop()
        rows = env.store.rows(
            "SELECT id, credit_move_id AS other FROM account_partial_reconcile WHERE debit_move_id = ?"
            " UNION ALL SELECT id, debit_move_id FROM account_partial_reconcile WHERE credit_move_id = ?",
            (current, current),
        )
        for row in rows:
            links.add(row["id"])
            if row["other"] not in group:
                group.add(row["other"])
                waiting.append(row["other"])
    return group, links


def _close(env: Env, line_ids: Iterable[int], links: Iterable[int]) -> None:
    full_id = env.store.insert("account_full_reconcile", {"create_date": env.stamp, "write_date": env.stamp})
    for line_id in line_ids:
        values = {"full_reconcile_id": full_id, "matching_number": str(full_id)}
        env.store.update("account_move_line", line_id, values)
    for partial_id in links:
        env.store.update("account_partial_reconcile", partial_id, {"full_reconcile_id": full_id})


def of_lines(env: Env, line_ids: Iterable[int]) -> list[Row]:
    """The partials that any of the lines has, each once."""
    found: dict[int, Row] = {}
    for line_id in line_ids:
        rows = env.store.where("account_partial_reconcile", debit_move_id=line_id)
        rows += env.store.where("account_partial_reconcile", credit_move_id=line_id)
        found |= {row["id"]: row for row in rows}
    return list(found.values())


def is_matched(env: Env, line_ids: Iterable[int]) -> bool:
    """Whether any of the lines has a partial."""
    return any(of_lines(env, [line_id]) for line_id in line_ids)


def still_matched(move: Row) -> ServerFailure:
    """The refusal to change what is matched."""
    return user_error(
        "You cannot do this modification on a reconciled journal entry. "
        "You can just change some non legal fields or you must unreconcile first.\n"
        f"Journal Entry (id): {move['name']} ({move['id']})"
    )


def reopen(env: Env, partial: Row) -> set[int]:
    """Delete a partial; its full reconciliation falls, the lines are open again. Returns all lines it touched."""
    debit = env.store.need("account_move_line", partial["debit_move_id"])
    credit = env.store.need("account_move_line", partial["credit_move_id"])
    group, _ = _component(env, debit["id"])
    env.store.delete("account_partial_reconcile", [partial["id"]])
    if partial["full_reconcile_id"]:
        for table in ("account_move_line", "account_partial_reconcile"):
            full = {"full_reconcile_id": None}
            env.store.update_where(table, "full_reconcile_id", partial["full_reconcile_id"], full)
        env.store.delete("account_full_reconcile", [partial["full_reconcile_id"]])
    _lower(env, debit, -partial["amount"], -partial["debit_amount_currency"])
    _lower(env, credit, partial["amount"], partial["credit_amount_currency"])
    for line_id in group:
        _, links = _component(env, line_id)
        number = f"P{min(links)}" if links else None
        env.store.update("account_move_line", line_id, {"matching_number": number})
    return group
