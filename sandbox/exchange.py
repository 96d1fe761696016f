"""The exchange entries that Odoo makes by itself when a match closes a currency but not the balance."""

from __future__ import annotations

from typing import Any

from . import lines, locks, moves, partials
from .env import Env
from .failures import user_error
from .fields import MICRO
from .posting import post
from .store import Row

_LABEL = "Currency exchange rate difference"


def book(env: Env, gaps: list[tuple[Row, int]], day: str) -> int:
    """Post an entry that takes each gap off its line and onto the company's gain or loss account.

    `day` is the later line's; the entry goes where Odoo dates any entry that it makes (the end of a past month, or
    today), past the locks. The new line on the gap's account is matched with the gap's line, so both are closed.
    """
    company = env.company
    journal_id = company["currency_exchange_journal_id"]
    if not journal_id:
        raise user_error(
            "You have to configure the 'Exchange Gain or Loss Journal' in your company settings, to manage "
            "automatically the booking of accounting entries related to differences between exchange rates."
        )
    journal = env.store.need("account_journal", journal_id)
    violated = locks.violated(env, day, False, journal["type"])
    entry = {
        "move_type": "entry",
        "journal_id": journal_id,
        "date": locks.accounting_date(env, journal, "entry", day, violated),
        "line_ids": [command for line, gap in gaps for command in _pair(company, line, gap)],
    }
    move_id = moves.create(env, [entry])[0]
    post(env, env.store.need("account_move", move_id))
    closing = lines.of_move(env, move_id)[::2]
    for (line, gap), counter in zip(gaps, closing, strict=True):
        debit, credit = (line, counter) if gap > 0 else (counter, line)
        in_currency = abs(gap) if line["currency_id"] == company["currency_id"] else 0
        partials.insert(env, debit, credit, partials.Pairing(abs(gap), in_currency, in_currency))
    return move_id


def _pair(company: Row, line: Row, gap: int) -> list[Any]:
    """The line that closes the gap, and its counterpart on the gain or loss account."""
    name = "expense_currency_exchange_account_id" if gap > 0 else "income_currency_exchange_account_id"
    if not company[name]:
        side = "Loss" if gap > 0 else "Gain"
        raise user_error(
            f"You should configure the '{side} Exchange Rate Account' in your company settings, to manage "
            "automatically the booking of accounting entries related to differences between exchange rates."
        )
    common = {"name": _LABEL, "currency_id": line["currency_id"], "amount_currency": 0.0}
    amount = gap / MICRO
    closing = {"account_id": line["account_id"], "partner_id": line["partner_id"], "balance": -amount}
    counter = {"account_id": company[name], "partner_id": line["partner_id"], "balance": amount}
    if line["currency_id"] == company["currency_id"]:
        common.pop("amount_currency")
    return [[0, 0, common | closing], [0, 0, common | counter]]
