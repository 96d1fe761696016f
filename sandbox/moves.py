"""Documents as drafts: their head with Odoo's defaults, their lines, their totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import documents, lines, locks, numbering, records
from .env import COMPANY, Env
from .failures import missing_error, user_error
from .kinds import SALES, is_document
from .store import Row
from .values import is_empty, stored

MODEL = "account.move"
LINES = ("line_ids", "invoice_line_ids")
_JOURNAL_OF = {"entry": "general", "out": "sale", "in": "purchase"}
_EMPTY = ("statement_line_id", "name", "ref", "payment_reference", "invoice_date")
_TOTALS = (
    *("amount_untaxed", "amount_tax", "amount_total", "amount_residual"),
    *("amount_total_signed", "amount_residual_signed"),
)


def create(env: Env, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    """Drafts, all or none."""
    return [_create(env, values) for values in vals_list]


def _create(env: Env, values: Mapping[str, Any]) -> int:
    model = env.model(MODEL)
    records.check_fields(env, model, values)
    if values.get("state") == "posted":
        raise user_error(
            "You cannot create a move already in the posted state. Please create a draft move and post it after."
        )
    row = _head(env, values)
    move = row | {"id": records.insert(env, model, row)}
    for command in commands(values):
        apply(env, move, command)
    follow(env, move)
    return int(move["id"])


def _head(env: Env, values: Mapping[str, Any]) -> Row:
    """The document's own columns with Odoo's defaults."""
    model = env.model(MODEL)
    given = values.get("move_type") or env.context.get("default_move_type") or "entry"
    move_type = str(stored(env, model, "move_type", model.fields["move_type"], given))
    journal = _journal(env, values, move_type)
    own = {name: value for name, value in values.items() if name not in ("journal_id", "state")}
    row: Row = dict.fromkeys(_EMPTY) | records.columns(env, model, own) | dict.fromkeys(_TOTALS, 0)
    row |= {
        "state": "draft",
        "move_type": move_type,
        "journal_id": journal["id"],
        "company_id": COMPANY,
        "currency_id": row.get("currency_id") or journal["currency_id"] or env.company["currency_id"],
        "commercial_partner_id": commercial_partner(env, row.get("partner_id")),
        "invoice_date_due": row.get("invoice_date_due") or env.today,
        "payment_state": "not_paid",
        "auto_post": row.get("auto_post") or "no",
        "posted_before": 0,
    }
    row["date"] = row.get("date") or default_date(env, row, journal)
    row["sequence_prefix"], row["sequence_number"] = numbering.split(row["name"])
    return row


def commercial_partner(env: Env, partner_id: int | None) -> int | None:
    """The company that a contact belongs to."""
    partner = env.store.get("res_partner", partner_id)
    return partner["commercial_partner_id"] if partner else None


def _journal(env: Env, values: Mapping[str, Any], move_type: str) -> Row:
    if not is_empty(values.get("journal_id")):
        journal_id = int(values["journal_id"])
        journal = env.store.get("account_journal", journal_id)
        if journal is None:
            raise missing_error("account.journal", journal_id, env.uid)
        return journal
    kind = _JOURNAL_OF[move_type.split("_", maxsplit=1)[0]]
    found = env.store.where("account_journal", "sequence, id", type=kind, active=1)
    if not found:
        raise user_error(f"No journal could be found in company My Company for any of those types: {kind}")
    return found[0]


def default_date(env: Env, move: Row, journal: Row) -> str:
    """Today; a document's own day; a bill of a past month goes to that month's end."""
    day = move["invoice_date"]
    if not is_document(move) or not day:
        return env.today
    if move["move_type"] in SALES:
        return str(day)
    return locks.accounting_date(env, journal, move["move_type"], day, locks.violated(env, day, False, journal["type"]))


def commands(values: Mapping[str, Any]) -> list[list[Any]]:
    """What is asked to be done with the document's lines."""
    given = [values[name] for name in LINES if not is_empty(values.get(name))]
    return [command for value in given for command in records.commands(value)]


def apply(env: Env, move: Row, command: list[Any]) -> None:
    """Add a line, or clear all; another document's lines stay where they are."""
    if command[0] == 0:
        add_line(env, move, command[2])
    elif command[0] == 5 or (command[0] == 6 and not command[2]):
        lines.remove(env, [line["id"] for line in lines.of_move(env, move["id"])])
    else:
        if command[0] != 6:
            records.need(env, env.model(lines.MODEL), [command[1]])
        raise user_error("Journal items cannot be moved between journal entries.")


def add_line(env: Env, move: Row, values: Mapping[str, Any]) -> int:
    """A line: on a document it is a priced one, whichever field it came by."""
    return documents.add_line(env, move, values) if is_document(move) else lines.add(env, move, values)


def follow(env: Env, move: Row) -> None:
    """What follows from the lines: the taxes and open amount of a document that is not posted, else the total."""
    if is_document(move) and move["state"] != "posted":
        documents.sync(env, move)
        return
    if env.context.get("check_move_validity", True):
        lines.check_balanced(env, move)
    total = env.store.one("SELECT SUM(debit) FROM account_move_line WHERE move_id = ?", (move["id"],)) or 0
    env.store.update("account_move", move["id"], {"amount_total": total, "amount_total_signed": total})
