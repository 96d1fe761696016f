"""Documents: made, changed and deleted as drafts; what may still change once they are posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import documents, identity, lines, locks, numbering, records
from .env import COMPANY, Env
from .failures import missing_error, user_error
from .reconcile import RECONCILED, is_matched, remove
from .store import Row
from .values import is_empty, stored

MODEL = "account.move"
_FROZEN = (
    "invoice_line_ids",
    "line_ids",
    "invoice_date",
    "date",
    "partner_id",
    "invoice_payment_term_id",
    "currency_id",
    "fiscal_position_id",
    "invoice_cash_rounding_id",
)
CANNOT_DELETE = (
    "You can't delete a posted journal item. Don’t play games with your accounting records; "
    "reset the journal entry to draft before deleting it."
)
_JOURNAL_OF = {"entry": "general", "out": "sale", "in": "purchase"}


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
    move_id = records.insert(env, model, row)
    move = row | {"id": move_id}
    document = move["move_type"] in documents.DOCUMENTS
    _apply_lines(env, move, values)
    if document:
        documents.sync(env, move)
    else:
        settle(env, move)
    return move_id


def _head(env: Env, values: Mapping[str, Any]) -> Row:
    """The document's own columns with Odoo's defaults."""
    model = env.model(MODEL)
    kind_field = model.fields["move_type"]
    given = values.get("move_type") or env.context.get("default_move_type") or "entry"
    move_type = str(stored(env, model, "move_type", kind_field, given))
    journal = _journal(env, values, move_type)
    row: Row = {"statement_line_id": None}
    row |= {
        name: stored(env, model, name, model.fields[name], value)
        for name, value in values.items()
        if model.fields[name].stored and name not in ("journal_id", "state")
    }
    partner = env.store.get("res_partner", row.get("partner_id"))
    invoice_date = row.get("invoice_date")
    row |= {
        "name": row.get("name"),
        "state": "draft",
        "move_type": move_type,
        "journal_id": journal["id"],
        "company_id": COMPANY,
        "currency_id": row.get("currency_id") or journal["currency_id"] or env.company["currency_id"],
        "commercial_partner_id": partner["commercial_partner_id"] if partner else None,
        "ref": row.get("ref"),
        "payment_reference": row.get("payment_reference"),
        "invoice_date": invoice_date,
        "invoice_date_due": row.get("invoice_date_due") or env.today,
        "payment_state": "not_paid",
        "auto_post": row.get("auto_post") or "no",
        "posted_before": 0,
    }
    row["date"] = row.get("date") or default_date(env, row, journal)
    row["sequence_prefix"], row["sequence_number"] = numbering.split(row["name"]) if row["name"] else ("", 0)
    for name in ("amount_untaxed", "amount_tax", "amount_total", "amount_residual"):
        row[name] = 0
    row |= {"amount_total_signed": 0, "amount_residual_signed": 0}
    return row


def _journal(env: Env, values: Mapping[str, Any], move_type: str) -> Row:
    if not is_empty(values.get("journal_id")):
        journal_id = values["journal_id"]
        journal = env.store.get("account_journal", int(journal_id))
        if journal is None:
            raise missing_error("account.journal", int(journal_id), env.uid)
        return journal
    kind = _JOURNAL_OF[move_type.split("_", maxsplit=1)[0]]
    found = env.store.where("account_journal", "sequence, id", type=kind, active=1)
    if not found:
        raise user_error(f"No journal could be found in company My Company for any of those types: {kind}")
    return found[0]


def default_date(env: Env, move: Row, journal: Row) -> str:
    """Today; a document's own day; a bill of a past month goes to that month's end."""
    day = move["invoice_date"]
    if move["move_type"] not in documents.DOCUMENTS or not day:
        return env.today
    if move["move_type"] in documents.SALES:
        return str(day)
    reset = numbering.form_of(env, journal, move["move_type"], day).reset
    return locks.accounting_date(env, day, False, reset, locks.violated(env, day, False, journal["type"]))


def write(env: Env, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
    model = env.model(MODEL)
    records.check_fields(env, model, values)
    for move in records.need(env, model, ids):
        _write(env, move, values)
    return True


def _write(env: Env, move: Row, values: Mapping[str, Any]) -> None:
    model = env.model(MODEL)
    posted = move["state"] == "posted"
    frozen = [name for name in values if name in _FROZEN]
    if posted and frozen and not env.context.get("skip_readonly_check"):
        raise user_error(f"You cannot modify the following readonly fields on a posted move: {', '.join(frozen)}")
    if values.get("state") not in (None, move["state"]):
        raise user_error("The status of a journal entry changes by posting, resetting or cancelling it.")
    if "journal_id" in values and move["posted_before"] and values["journal_id"] != move["journal_id"]:
        raise user_error("You cannot edit the journal of an account move if it has been posted once.")
    row = records.columns(env, model, values)
    row.pop("state", None)
    after = move | row
    if "partner_id" in row:
        partner = env.store.get("res_partner", row["partner_id"])
        row["commercial_partner_id"] = partner["commercial_partner_id"] if partner else None
    document = move["move_type"] in documents.DOCUMENTS
    if document and "invoice_date" in row and "date" not in row and not posted:
        row["date"] = default_date(env, after, env.store.need("account_journal", after["journal_id"]))
    if "name" in row:
        row["sequence_prefix"], row["sequence_number"] = numbering.split(row["name"]) if row["name"] else ("", 0)
    records.update(env, model, move["id"], row)
    after = env.store.need("account_move", move["id"])
    if row.keys() & {"ref", "date", "name", "journal_id"}:
        shared = {name: after[name] for name in ("ref", "date", "journal_id")} | {"move_name": after["name"]}
        env.store.update_where("account_move_line", "move_id", move["id"], shared)
    if posted and not (frozen and env.context.get("skip_readonly_check")):
        return
    _apply_lines(env, after, values)
    if document and not posted:
        documents.sync(env, after)
    else:
        settle(env, after)


def settle(env: Env, move: Row) -> None:
    """An entry must balance; its total is what is debited."""
    if env.context.get("check_move_validity", True):
        lines.check_balanced(env, move)
    total = env.store.one("SELECT SUM(debit) FROM account_move_line WHERE move_id = ?", (move["id"],)) or 0
    env.store.update("account_move", move["id"], {"amount_total": total, "amount_total_signed": total})


def _apply_lines(env: Env, move: Row, values: Mapping[str, Any]) -> None:
    """The commands for `line_ids` and `invoice_line_ids`."""
    for name in ("line_ids", "invoice_line_ids"):
        if name not in values:
            continue
        priced = name == "invoice_line_ids" and move["move_type"] in documents.DOCUMENTS
        given = values[name]
        if is_empty(given):
            continue
        for command in records.commands(given):
            _apply(env, move, command, priced)


def _apply(env: Env, move: Row, command: list[Any], priced: bool) -> None:
    code = command[0]
    if code == 0:
        (documents.add_line if priced else _add_plain)(env, move, command[2])
        return
    if code in (5, 6):
        if code == 6 and command[2]:
            raise user_error("Journal items cannot be moved between journal entries.")
        lines.remove(env, [line["id"] for line in lines.of_move(env, move["id"])])
        return
    line = records.need(env, env.model(lines.MODEL), [command[1]])[0]
    if line["move_id"] != move["id"]:
        raise user_error("Journal items cannot be moved between journal entries.")
    if code == 1:
        changed = documents.change_line if line["display_type"] == "product" and is_document(move) else lines.change
        _unmatch(env, move, line)
        changed(env, move, line, command[2])
    elif code in (2, 3):
        _unmatch(env, move, line)
        lines.remove(env, [line["id"]])


def _unmatch(env: Env, move: Row, line: Row) -> None:
    """Before a matched line is changed: 18 refuses, 19 undoes the match and says nothing."""
    if not is_matched(env, [line["id"]]):
        return
    if env.version < 19:
        raise user_error(f"{RECONCILED}\nJournal Entry (id): {move['name']} ({move['id']})")
    remove(env, [line["id"]])


def is_document(move: Row) -> bool:
    return move["move_type"] in documents.DOCUMENTS


def _add_plain(env: Env, move: Row, values: Mapping[str, Any]) -> int:
    """A line by `line_ids`: on a document it is taken as a priced one."""
    return documents.add_line(env, move, values) if is_document(move) else lines.add(env, move, values)


def write_lines(env: Env, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
    """`account.move.line.write`: a posted line may change its account while nothing is matched with it."""
    model = env.model(lines.MODEL)
    records.check_fields(env, model, values)
    touched: dict[int, Row] = {}
    for line in records.need(env, model, ids):
        move = env.store.need("account_move", line["move_id"])
        protected = [name for name in values if name in ("account_id", "partner_id", "date", *lines.AMOUNTS)]
        changes = [name for name in protected if _differs(env, line, name, values[name])]
        if (env.version < 19 and changes) or set(changes) - {"partner_id"}:  # 19 lets the partner of a match change
            _unmatch(env, move, line)
        if changes and move["state"] == "posted":
            journal = env.store.need("account_journal", move["journal_id"])
            locks.check_open(env, move["date"], has_tax(env, move["id"]), journal["type"])
        if move["state"] == "posted" and values.keys() & {"tax_ids", "tax_line_id"}:
            raise user_error(
                "You cannot modify the taxes related to a posted journal item, "
                "you should reset the journal entry to draft to do so."
            )
        changed = documents.change_line if line["display_type"] == "product" and is_document(move) else lines.change
        changed(env, move, line, values)
        touched[move["id"]] = move
    for move in touched.values():
        if is_document(move) and move["state"] == "draft":
            documents.sync(env, move)
        else:
            settle(env, move)
    return True


def _differs(env: Env, line: Row, name: str, value: Any) -> bool:
    model = env.model(lines.MODEL)
    return bool(stored(env, model, name, model.fields[name], value) != line[name])


def create_lines(env: Env, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
    """`account.move.line.create`: onto drafts, which must balance in the end."""
    made, touched = [], {}
    for values in vals_list:
        move_id = values.get("move_id")
        move = records.need(env, env.model(MODEL), [int(move_id or 0)])[0]
        if move["state"] != "draft":
            raise user_error("You cannot add a journal item to a journal entry that is not in draft.")
        made.append(_add_plain(env, move, {name: value for name, value in values.items() if name != "move_id"}))
        touched[move["id"]] = move
    for move in touched.values():
        documents.sync(env, move) if is_document(move) else settle(env, move)
    return made


def unlink_lines(env: Env, ids: Sequence[int]) -> bool:
    found = records.need(env, env.model(lines.MODEL), ids)
    moves = {line["move_id"]: env.store.need("account_move", line["move_id"]) for line in found}
    if any(move["state"] == "posted" for move in moves.values()):
        raise user_error(CANNOT_DELETE)
    lines.remove(env, ids)
    for move in moves.values():
        documents.sync(env, move) if is_document(move) else settle(env, move)
    return True


def has_tax(env: Env, move_id: int) -> bool:
    """Whether the document touches the tax report: a line with a tax, or of one."""
    return bool(
        env.store.one(
            "SELECT 1 FROM account_move_line l WHERE l.move_id = ? AND (l.tax_line_id IS NOT NULL OR EXISTS"
            " (SELECT 1 FROM account_move_line_account_tax_rel r WHERE r.left_id = l.id)) LIMIT 1",
            (move_id,),
        )
    )


def unlink(env: Env, ids: Sequence[int], force: bool = False) -> bool:
    """Drafts and cancelled documents go; a number that goes leaves its gap."""
    found = env.store.get_all("account_move", list(ids)).values()
    if not force and any(move["state"] == "posted" for move in found):
        raise user_error(CANNOT_DELETE)
    for move in found:
        lines.remove(env, [line["id"] for line in lines.of_move(env, move["id"])])
        env.store.update_where("account_move", "reversed_entry_id", move["id"], {"reversed_entry_id": None})
    env.store.delete("account_move", [move["id"] for move in found])
    identity.forget(env, MODEL, [move["id"] for move in found])
    return True
