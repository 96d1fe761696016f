"""The buttons of a document: post, reset to draft, cancel."""

from __future__ import annotations

from collections.abc import Sequence

from . import documents, lines, locks, records, undo
from .access import check_may_post
from .env import Env
from .failures import user_error
from .kinds import SALES, is_document
from .moves import MODEL
from .posting import post
from .reconcile import reconcile_reversal
from .store import Row


def action_post(env: Env, ids: Sequence[int]) -> bool:
    """Post the drafts, all or none. Odoo answers false when all went well."""
    check_may_post(env)
    moves = records.need(env, env.model(MODEL), ids)
    _prepare(env, moves)
    problems = [problem for move in moves for problem in _problems(env, move)]
    if problems:
        raise user_error("\n".join(dict.fromkeys(problems)))
    # What is netted is decided before anything is posted: an invoice and its credit note in one call are not.
    origins = [(env.store.get("account_move", move["reversed_entry_id"]), move) for move in moves]
    netted = [(origin["id"], move["id"]) for origin, move in origins if origin and origin["state"] == "posted"]
    for move in sorted(moves, key=lambda move: (move["date"], move["ref"] or "", move["id"])):
        post(env, move)
    for origin_id, move_id in netted:
        reconcile_reversal(env, origin_id, move_id)
    return False


def _prepare(env: Env, moves: list[Row]) -> None:
    """What posting fills in: an invoice without a date is dated today."""
    for move in moves:
        sale = move["move_type"] in SALES
        if sale and move["partner_id"] and not move["invoice_date"] and move["state"] == "draft":
            move["invoice_date"] = env.today
            changed: Row = {"invoice_date": env.today}
            if move["date"] != env.today:
                changed["date"] = move["date"] = env.today
            env.store.update("account_move", move["id"], changed)
            env.store.update_where("account_move_line", "move_id", move["id"], {"date": move["date"]})


def _problems(env: Env, move: Row) -> list[str]:
    found = []
    if is_document(move):
        found += _document_problems(env, move)
    if move["state"] != "draft":
        found.append(f"The entry {move['name']} (id {move['id']}) must be in draft.")
    if not lines.of_move(env, move["id"]):
        found.append(env.texts("You need to add a line before posting.", "Even magicians can't post nothing!"))
    currency = env.store.need("res_currency", move["currency_id"])
    if not currency["active"]:
        found.append(f"You cannot validate a document with an inactive currency: {currency['name']}")
    journal = env.store.need("account_journal", move["journal_id"])
    if not journal["active"]:
        found.append(f"You cannot post an entry in an archived journal ({journal['name']})")
    if _retired_account(env, move["id"]):
        found.append(
            env.texts(
                "A line of this move is using a deprecated account, you cannot post it.",
                "A line of this move is using an archived account, you cannot post it.",
            )
        )
    return found


def _document_problems(env: Env, move: Row) -> list[str]:
    found = []
    sale = move["move_type"] in SALES
    if move["amount_total"] < 0:
        found.append(
            "You cannot validate an invoice with a negative total amount. You should create a credit note instead. "
            "Use the action menu to transform it into a credit note or refund."
        )
    if not move["partner_id"]:
        who, what = ("Customer", "Customer Invoice") if sale else ("Vendor", "Vendor Bill")
        witty = (
            f"The '{who}' field is required to validate the invoice.\n"
            "You probably don't want to explain to your auditor that you invoiced an invisible man :)"
        )
        found.append(env.texts(f"The field '{who}' is required, please complete it to validate the {what}.", witty))
    if not move["invoice_date"] and not sale:
        found.append("The Bill/Refund date is required to validate this document.")
    return found


def _retired_account(env: Env, move_id: int) -> bool:
    retired = env.texts("a.deprecated = 1", "a.active = 0")
    return bool(
        env.store.one(
            "SELECT 1 FROM account_move_line l JOIN account_account a ON a.id = l.account_id"  # noqa: S608
            f" WHERE l.move_id = ? AND {retired} LIMIT 1",
            (move_id,),
        )
    )


def button_draft(env: Env, ids: Sequence[int]) -> None:
    """Back to draft: the number stays, locked periods refuse. 18 undoes the matches, 19 keeps them."""
    for move in records.need(env, env.model(MODEL), ids):
        if move["state"] not in ("posted", "cancel"):
            raise user_error("Only posted/cancelled journal entries can be reset to draft.")
        if env.store.one("SELECT 1 FROM account_partial_reconcile WHERE exchange_move_id = ?", (move["id"],)):
            raise user_error("You cannot reset to draft an exchange difference journal entry.")
        journal = env.store.need("account_journal", move["journal_id"])
        locks.check_open(env, move["date"], lines.have_tax(env, move["id"]), journal["type"])
        if env.version < 19:
            undo.remove(env, [line["id"] for line in lines.of_move(env, move["id"])])
        _set_state(env, move["id"], "draft")


def button_cancel(env: Env, ids: Sequence[int]) -> None:
    for move in records.need(env, env.model(MODEL), ids):
        if move["state"] == "posted":
            undo.remove(env, [line["id"] for line in lines.of_move(env, move["id"])])
            button_draft(env, [move["id"]])
        elif move["state"] != "draft":
            raise user_error("Only draft journal entries can be cancelled.")
        _set_state(env, move["id"], "cancel")


def _set_state(env: Env, move_id: int, state: str) -> None:
    env.store.update("account_move", move_id, {"state": state, "write_date": env.stamp})
    env.store.update_where("account_move_line", "move_id", move_id, {"parent_state": state})
    # A line that is matched with nothing was closed by its zero amount alone, which counts only while posted.
    env.store.db.execute(
        "UPDATE account_move_line SET reconciled = 0 WHERE move_id = ? AND matching_number IS NULL", (move_id,)
    )
    documents.refresh(env, move_id)
