"""Changing and deleting documents and their lines: freely as drafts, and what may still change once they are posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import documents, identity, lines, locks, moves, numbering, partials, records, undo
from .env import Env
from .failures import user_error
from .kinds import is_document
from .store import Row
from .values import stored

_FROZEN = (
    *("invoice_line_ids", "line_ids", "invoice_date", "date", "partner_id", "invoice_payment_term_id"),
    *("currency_id", "fiscal_position_id", "invoice_cash_rounding_id"),
)
CANNOT_DELETE = (
    "You can't delete a posted journal item. Don’t play games with your accounting records; "
    "reset the journal entry to draft before deleting it."
)


def write(env: Env, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
    """`account.move.write`."""
    model = env.model(moves.MODEL)
    records.check_fields(env, model, values)
    for move in records.need(env, model, ids):
        _write(env, move, values)
    return True


def _write(env: Env, move: Row, values: Mapping[str, Any]) -> None:
    model = env.model(moves.MODEL)
    posted = move["state"] == "posted"
    frozen = [name for name in values if name in _FROZEN]
    relaxed = env.context.get("skip_readonly_check")
    if posted and frozen and not relaxed:
        raise user_error(f"You cannot modify the following readonly fields on a posted move: {', '.join(frozen)}")
    if values.get("state") not in (None, move["state"]):
        raise user_error("The status of a journal entry changes by posting, resetting or cancelling it.")
    if "journal_id" in values and move["posted_before"] and values["journal_id"] != move["journal_id"]:
        raise user_error("You cannot edit the journal of an account move if it has been posted once.")
    row = records.columns(env, model, values)
    row.pop("state", None)
    if "partner_id" in row:
        row["commercial_partner_id"] = moves.commercial_partner(env, row["partner_id"])
    if is_document(move) and "invoice_date" in row and "date" not in row and not posted:
        after = move | row
        row["date"] = moves.default_date(env, after, env.store.need("account_journal", after["journal_id"]))
    if "name" in row:
        row["sequence_prefix"], row["sequence_number"] = numbering.split(row["name"])
    records.update(env, model, move["id"], row)
    after = env.store.need("account_move", move["id"])
    if row.keys() & {"ref", "date", "name", "journal_id"}:
        shared = {name: after[name] for name in ("ref", "date", "journal_id")} | {"move_name": after["name"]}
        env.store.update_where("account_move_line", "move_id", move["id"], shared)
    if posted and not (frozen and relaxed):
        return
    for command in moves.commands(values):
        _apply(env, after, command)
    moves.follow(env, after)


def _apply(env: Env, move: Row, command: list[Any]) -> None:
    """Change or take away a line of its own; for the rest see `moves.apply`."""
    line = env.store.get("account_move_line", command[1]) if command[0] in (1, 2, 3, 4) else None
    if line is None or line["move_id"] != move["id"]:
        moves.apply(env, move, command)
        return
    if command[0] != 4:
        _unmatch(env, move, line)
    if command[0] == 1:
        _change(env, move, line, command[2])
    elif command[0] in (2, 3):
        lines.remove(env, [line["id"]])


def _change(env: Env, move: Row, line: Row, values: Mapping[str, Any]) -> None:
    priced = line["display_type"] == "product" and is_document(move)
    (documents.change_line if priced else lines.change)(env, move, line, values)


def _unmatch(env: Env, move: Row, line: Row) -> None:
    """Before a matched line is changed: 18 refuses, 19 undoes the match and says nothing."""
    if partials.is_matched(env, [line["id"]]):
        if env.version < 19:
            raise partials.still_matched(move)
        undo.remove(env, [line["id"]])


def write_lines(env: Env, ids: Sequence[int], values: Mapping[str, Any]) -> bool:
    """`account.move.line.write`: a posted line may change its account while nothing is matched with it."""
    model = env.model(lines.MODEL)
    records.check_fields(env, model, values)
    touched: dict[int, Row] = {}
    for line in records.need(env, model, ids):
        move = touched[line["move_id"]] = env.store.need("account_move", line["move_id"])
        changes = {
            name
            for name in ("account_id", "partner_id", "date", *lines.AMOUNTS)
            if name in values and stored(env, model, name, model.fields[name], values[name]) != line[name]
        }
        if (env.version < 19 and changes) or changes - {"partner_id"}:  # 19 lets the partner of a match change
            _unmatch(env, move, line)
        if changes and move["state"] == "posted":
            journal = env.store.need("account_journal", move["journal_id"])
            locks.check_open(env, move["date"], lines.have_tax(env, move["id"]), journal["type"])
        if move["state"] == "posted" and values.keys() & {"tax_ids", "tax_line_id"}:
            raise user_error(
                "You cannot modify the taxes related to a posted journal item, "
                "you should reset the journal entry to draft to do so."
            )
        _change(env, move, line, values)
    for move in touched.values():
        moves.follow(env, move)
    return True


def unlink(env: Env, ids: Sequence[int], force: bool = False) -> bool:
    """Drafts and cancelled documents go; a number that goes leaves its gap."""
    found = env.store.get_all("account_move", list(ids))
    if not force and any(move["state"] == "posted" for move in found.values()):
        raise user_error(CANNOT_DELETE)
    for move_id in found:
        lines.remove(env, [line["id"] for line in lines.of_move(env, move_id)])
        env.store.update_where("account_move", "reversed_entry_id", move_id, {"reversed_entry_id": None})
    env.store.delete("account_move", found)
    identity.forget(env, moves.MODEL, found)
    return True
