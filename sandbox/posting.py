"""Posting a draft: where Odoo numbers it, and silently moves its date."""

from __future__ import annotations

from . import documents, lines, locks, numbering
from .env import Env
from .failures import constraint_error
from .kinds import is_document
from .store import Row


def post(env: Env, move: Row) -> None:
    """Move the date past the locks, number, and make the lines count."""
    journal = env.store.need("account_journal", move["journal_id"])
    move["date"] = _unlocked_date(env, move, journal)
    if not move["name"] or not (numbering.fits(move["name"], move["date"]) or not move["posted_before"]):
        move["name"], move["sequence_prefix"], move["sequence_number"] = numbering.next_name(env, journal, move)
    elif env.store.one(
        "SELECT 1 FROM account_move WHERE journal_id = ? AND name = ? AND state = 'posted' AND id != ?",
        (journal["id"], move["name"], move["id"]),
    ):
        raise constraint_error("Another entry with the same name already exists.")
    move["state"] = "posted"
    names = ("date", "name", "sequence_prefix", "sequence_number", "state")
    row = {name: move[name] for name in names} | {"posted_before": 1, "write_date": env.stamp}
    if move["move_type"] == "out_invoice" and not move["payment_reference"]:
        row["payment_reference"] = move["payment_reference"] = move["name"]
    env.store.update("account_move", move["id"], row)
    shared = {"date": move["date"], "move_name": move["name"], "parent_state": "posted"}
    env.store.update_where("account_move_line", "move_id", move["id"], shared)
    env.store.db.execute(
        "UPDATE account_move_line SET reconciled = 1 WHERE move_id = ? AND balance = 0 AND amount_currency = 0"
        " AND account_id IN (SELECT id FROM account_account WHERE reconcile = 1 OR account_type IN"
        " ('asset_cash', 'liability_credit_card'))",
        (move["id"],),
    )
    if is_document(move):
        if move["payment_reference"]:
            env.store.db.execute(
                "UPDATE account_move_line SET name = ? WHERE move_id = ? AND display_type = 'payment_term'",
                (move["payment_reference"], move["id"]),
            )
        documents.refresh(env, move["id"])


def _unlocked_date(env: Env, move: Row, journal: Row) -> str:
    """The document's day, or the one that Odoo moves it to: no error, no word."""
    violated = locks.violated(env, move["date"], lines.have_tax(env, move["id"]), journal["type"])
    if not violated:
        return str(move["date"])
    day = move["invoice_date"] or move["date"]
    return locks.accounting_date(env, journal, move["move_type"], day, violated, move["id"])
