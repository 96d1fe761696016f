"""Credit notes and mirror entries, by the wizard `account.move.reversal`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import lines, moves, records
from .actions import action_post
from .env import COMPANY, Env
from .store import Row
from .undo import reverse_entry

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
            move = env.store.need("account_move", move_id)
            made.append(_copy(env, move, wizard, ref=move["ref"]))
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
            made.append(reverse_entry(env, move, wizard["date"], ref, wizard["journal_id"]))
        else:
            day = wizard["date"]
            mirrored = {"move_type": _REVERSE[move["move_type"]], "reversed_entry_id": move_id, "ref": ref}
            refund = _copy(env, move, wizard, **mirrored, date=day, invoice_date_due=day)
            if post:
                action_post(env, [refund])
            made.append(refund)
    env.store.link("account_move_reversal_new_move", wizard["id"], made)
    return made


def _copy(env: Env, move: Row, wizard: Row, **head: Any) -> int:
    """A draft with the document's lines and prices."""
    priced = [line for line in lines.of_move(env, move["id"]) if line["display_type"] == "product"]
    values = {
        "move_type": move["move_type"],
        "partner_id": move["partner_id"],
        "currency_id": move["currency_id"],
        "journal_id": wizard["journal_id"] or move["journal_id"],
        "invoice_date": wizard["date"],
        "invoice_line_ids": [[0, 0, _priced(env, line)] for line in priced],
    }
    return moves.create(env, [values | head])[0]


def _priced(env: Env, line: Row) -> dict[str, Any]:
    names = ("name", "product_id", "account_id", "quantity", "price_unit", "discount", "partner_id")
    tax_ids = env.store.linked("account_move_line_account_tax_rel", line["id"])
    return {name: line[name] for name in names} | {"tax_ids": [[6, 0, tax_ids]]}


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
