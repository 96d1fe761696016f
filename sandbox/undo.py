"""Undoing: a match is taken apart, an entry gets a mirror."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from . import lines, locks, moves, partials
from .env import Env
from .fields import MICRO
from .posting import post
from .reconcile import reconcile_reversal
from .store import Row


def remove(env: Env, line_ids: Iterable[int]) -> None:
    """`remove_move_reconcile`: undo every match of the lines.

    An exchange entry that a match made is undone with it: Odoo opens its lines, posts its mirror and matches the two.
    """
    touched: set[int] = set()
    exchanges: list[int] = []
    for partial in partials.of_lines(env, line_ids):
        touched |= partials.reopen(env, partial)
        if partial["exchange_move_id"]:
            exchanges.append(partial["exchange_move_id"])
    for move_id in exchanges:
        move = env.store.get("account_move", move_id)
        if move:
            remove(env, [line["id"] for line in lines.of_move(env, move_id)])
            reverse_entry(env, move, move["date"])
    partials.refresh_documents(env, touched)


def reverse_entry(env: Env, move: Row, day: str, ref: str | None = None, journal_id: int | None = None) -> int:
    """Post an entry's mirror and match it with the original; a locked day becomes the first open one."""
    journal = env.store.need("account_journal", journal_id or move["journal_id"])
    violated = locks.violated(env, day, lines.have_tax(env, move["id"]), journal["type"])
    if violated:
        day = (date.fromisoformat(violated[-1][0]) + timedelta(days=1)).isoformat()
    values = {
        "move_type": "entry",
        "journal_id": journal["id"],
        "date": day,
        "ref": ref or f"Reversal of: {move['name']}",
        "reversed_entry_id": move["id"],
        "partner_id": move["partner_id"],
        "line_ids": [[0, 0, _mirror(line)] for line in lines.of_move(env, move["id"])],
    }
    made = moves.create(env, [values])[0]
    post(env, env.store.need("account_move", made))
    reconcile_reversal(env, move["id"], made)
    return made


def _mirror(line: Row) -> dict[str, Any]:
    names = ("name", "account_id", "partner_id", "currency_id")
    return {name: line[name] for name in names} | {
        "balance": -line["balance"] / MICRO,
        "amount_currency": -line["amount_currency"] / MICRO,
    }
