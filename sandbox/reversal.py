"""Credit notes and mirror entries, by the wizard `account.move.reversal`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from . import lines, locks, moves, posting, reconcile, records
from .env import COMPANY, Env
from .fields import MICRO
from .store import Row

MODEL = "account.move.reversal"
_REVERSE = {
    "out_invoice": "out_refund",
    "in_invoice": "in_refund",
    "out_refund": "out_invoice",
    "in_refund": "in_invoice",
}


def create(env: Env, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    """A wizard over the documents that the context or `move_ids` names."""
    made = []
    for values in vals_list:
        given = dict(values)
        if "move_ids" not in given and env.context.get("active_model") == moves.MODEL:
            given["move_ids"] = [[6, 0, list(env.context.get("active_ids") or [])]]
        defaults = {"date": env.today, "company_id": COMPANY}
        made.append(records.create(env, env.model(MODEL), given, defaults))
    return made


def refund_moves(env: Env, ids: Sequence[int]) -> dict[str, Any]:
    """Credit notes as drafts; entries are mirrored and posted at once."""
    made = [move_id for wizard in _wizards(env, ids) for move_id in _reverse_all(env, wizard, post=False)]
    return _action(env, made)


def modify_moves(env: Env, ids: Sequence[int]) -> dict[str, Any]:
    """Reverse and post, and give a new draft that repeats the document."""
    made = []
    for wizard in _wizards(env, ids):
        _reverse_all(env, wizard, post=True)
        for move_id in env.store.linked("account_move_reversal_move", wizard["id"]):
            made.append(_repeat(env, env.store.need("account_move", move_id), wizard))
    return _action(env, made)


def _wizards(env: Env, ids: Sequence[int]) -> list[Row]:
    return records.need(env, env.model(MODEL), ids)


def _reverse_all(env: Env, wizard: Row, post: bool) -> list[int]:
    made = []
    for move_id in env.store.linked("account_move_reversal_move", wizard["id"]):
        move = env.store.need("account_move", move_id)
        reason = f", {wizard['reason']}" if wizard["reason"] else ""
        ref = f"Reversal of: {move['name']}{reason}"
        if move["move_type"] == "entry":
            made.append(reverse_entry(env, move_id, wizard["date"], ref, wizard["journal_id"]))
        else:
            refund = _credit(env, move, wizard, ref)
            if post:
                posting.action_post(env, [refund])
            made.append(refund)
    env.store.link("account_move_reversal_new_move", wizard["id"], made)
    return made


def _credit(env: Env, move: Row, wizard: Row, ref: str) -> int:
    """The document's mirror: the same lines and prices under the opposite type."""
    head = {
        "move_type": _REVERSE[move["move_type"]],
        "reversed_entry_id": move["id"],
        "ref": ref,
        "date": wizard["date"],
        "invoice_date_due": wizard["date"],
        "journal_id": wizard["journal_id"] or move["journal_id"],
    }
    return moves.create(env, [_document(env, move, wizard["date"]) | head])[0]


def _repeat(env: Env, move: Row, wizard: Row) -> int:
    head = {
        "move_type": move["move_type"],
        "ref": move["ref"],
        "journal_id": wizard["journal_id"] or move["journal_id"],
    }
    return moves.create(env, [_document(env, move, wizard["date"]) | head])[0]


def _document(env: Env, move: Row, day: str) -> dict[str, Any]:
    priced = [line for line in lines.of_move(env, move["id"]) if line["display_type"] == "product"]
    return {
        "partner_id": move["partner_id"],
        "currency_id": move["currency_id"],
        "invoice_date": day,
        "invoice_line_ids": [[0, 0, _priced(env, line)] for line in priced],
    }


def _priced(env: Env, line: Row) -> dict[str, Any]:
    names = ("name", "product_id", "account_id", "quantity", "price_unit", "discount", "partner_id")
    tax_ids = env.store.linked("account_move_line_account_tax_rel", line["id"])
    return {name: line[name] for name in names} | {"tax_ids": [[6, 0, tax_ids]]}


def reverse_entry(env: Env, move_id: int, day: str, ref: str | None = None, journal_id: int | None = None) -> int:
    """Post an entry's mirror and match it with the original; a locked day becomes the first open one."""
    move = env.store.need("account_move", move_id)
    journal = env.store.need("account_journal", journal_id or move["journal_id"])
    violated = locks.violated(env, day, moves.has_tax(env, move_id), journal["type"])
    if violated:
        day = (date.fromisoformat(violated[-1][0]) + timedelta(days=1)).isoformat()
    mirrored = [[0, 0, _mirror(line)] for line in lines.of_move(env, move_id)]
    values = {
        "move_type": "entry",
        "journal_id": journal["id"],
        "date": day,
        "ref": ref or f"Reversal of: {move['name']}",
        "reversed_entry_id": move_id,
        "partner_id": move["partner_id"],
        "line_ids": mirrored,
    }
    made = moves.create(env, [values])[0]
    posting.post(env, env.store.need("account_move", made))
    reconcile.reconcile_reversal(env, move_id, made)
    return made


def _mirror(line: Row) -> dict[str, Any]:
    names = ("name", "account_id", "partner_id", "currency_id")
    return {name: line[name] for name in names} | {
        "balance": -line["balance"] / MICRO,
        "amount_currency": -line["amount_currency"] / MICRO,
    }


def _action(env: Env, made: Sequence[int]) -> dict[str, Any]:
    """The window that Odoo would open: `res_id` for one document, a domain for several."""
    action: dict[str, Any] = {
        "name": "Reverse Moves",
        "type": "ir.actions.act_window",
        "res_model": moves.MODEL,
        "view_mode": "form",
    }
    if len(made) == 1:
        move = env.store.need("account_move", made[0])
        return action | {"res_id": made[0], "context": {"default_move_type": move["move_type"]}}
    return action | {"view_mode": "list,form", "domain": [["id", "in", list(made)]]}
