"""How records are named where another record shows them."""

from __future__ import annotations

from collections.abc import Iterable

from .env import Env
from .store import Row

_DRAFTS = {
    "entry": "Draft Entry",
    "out_invoice": "Draft Invoice",
    "out_refund": "Draft Credit Note",
    "in_invoice": "Draft Bill",
    "in_refund": "Draft Vendor Credit Note",
    "out_receipt": "Draft Sales Receipt",
    "in_receipt": "Draft Purchase Receipt",
}


def display_names(env: Env, model: str, ids: Iterable[int]) -> dict[int, str]:
    """The names by id; ids that do not exist are left out."""
    rows = env.store.get_all(env.model(model).table, sorted(set(ids)))
    return names_of(env, model, rows.values())


def names_of(env: Env, model: str, rows: Iterable[Row]) -> dict[int, str]:
    """The names of rows at hand."""
    if model == "account.move.line":
        return _line_names(env, list(rows))
    if model == "account.bank.statement.line":
        found = list(rows)
        moves = display_names(env, "account.move", [row["move_id"] for row in found])
        return {row["id"]: moves.get(row["move_id"], "") for row in found}
    return {row["id"]: _name(env, model, row) for row in rows}


def _name(env: Env, model: str, row: Row) -> str:
    if model == "account.move":
        return move_name(row)
    if model == "account.account" and env.version < 19:
        return f"{row['code']} {row['name']}"
    if model == "res.partner":
        return str(row["complete_name"] or row["name"] or "")
    if model == "product.product" and row["default_code"]:
        return f"[{row['default_code']}] {row['name']}"
    if model == "ir.model.data":
        return f"{row['module']}.{row['name']}"
    return str(row.get("name") or f"{model},{row['id']}")


def move_name(row: Row, numbered: bool = True) -> str:
    """A document's name with its reference; a draft says what it is."""
    name = row["name"] or ""
    if row["state"] == "draft":
        name = _DRAFTS[row["move_type"]] + (f" {row['name']}" if row["name"] else "")
        if not row["name"] and numbered and row.get("id"):
            name += f" (* {row['id']})"
    return f"{name} ({row['ref'][:50]})" if row["ref"] else name


def _line_names(env: Env, rows: list[Row]) -> dict[int, str]:
    moves = display_names(env, "account.move", [row["move_id"] for row in rows])
    names = {}
    for row in rows:
        move = moves.get(row["move_id"], "")
        label = row["name"] or ""
        names[row["id"]] = move if not label or label in move else f"{move} {label}"
    return names
