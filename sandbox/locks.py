"""Lock dates: Odoo never refuses to post into a locked period, it moves the date and says nothing."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any

from . import numbering
from .env import Env
from .failures import user_error
from .kinds import SALES
from .store import Row

SOFT = ("fiscalyear_lock_date", "tax_lock_date", "sale_lock_date", "purchase_lock_date")
HARD = "hard_lock_date"
FIELDS = (*SOFT, HARD)
NEVER = "0001-01-01"  # what Odoo answers for "no lock" in the user_* fields


def user_lock(env: Env, company: Row, name: str) -> str | None:
    """The lock as it binds this user: an exception of theirs (or of all) opens the period."""
    locked: str | None = company[name]
    if locked is None or name == HARD:
        return locked
    rows = env.store.rows(
        f"SELECT {name} FROM account_lock_exception WHERE active = 1 AND (user_id IS NULL OR user_id = ?)"  # noqa: S608
        f" AND (end_datetime IS NULL OR end_datetime > ?) AND {name} IS NOT NULL",
        (env.uid, env.stamp),
    )
    return min([locked, *(str(row[0]) for row in rows)])


def violated(env: Env, day: str, has_tax: bool, journal_type: str) -> list[tuple[str, str]]:
    """The locks that bind a document of that day, as (lock date, field), earliest first."""
    names = ["fiscalyear_lock_date", HARD]
    if has_tax:
        names.append("tax_lock_date")
    if journal_type in ("sale", "purchase"):
        names.append(f"{journal_type}_lock_date")
    company = env.company
    locks = [(user_lock(env, company, name), name) for name in names]
    return sorted((locked, name) for locked, name in locks if locked and day <= locked)


def check_open(env: Env, day: str, has_tax: bool, journal_type: str) -> None:
    """Refuse to change what a lock covers: undoing is where Odoo does complain."""
    locks = violated(env, day, has_tax, journal_type)
    if locks:
        fields = env.model("res.company").fields
        named = ", ".join(f"{fields[name].label} ({date.fromisoformat(locked):%m/%d/%Y})" for locked, name in locks)
        raise user_error(f"You cannot add/modify entries prior to and inclusive of: {named}.")


def accounting_date(
    env: Env, journal: Row, move_type: str, day: str, violations: list[tuple[str, str]], move_id: int = 0
) -> str:
    """Where a document goes: past every lock, and for all but sales to the end of a past period of its journal."""
    reset = numbering.form_of(env, journal, move_type, day, move_id).reset  # month, year or never
    today = date.fromisoformat(env.today)
    wanted = date.fromisoformat(day)
    if violations:
        wanted = date.fromisoformat(violations[-1][0]) + timedelta(days=1)
    if move_type in SALES:
        if violations and reset == "month":
            return min(today, month_end(wanted)).isoformat()
        if violations and reset == "year":
            return min(today, date(wanted.year, 12, 31)).isoformat()
        return wanted.isoformat()
    if reset == "month":
        past = (today.year, today.month) > (wanted.year, wanted.month)
        return (month_end(wanted) if past else max(wanted, today)).isoformat()
    if reset == "year":
        return (date(wanted.year, 12, 31) if today.year > wanted.year else max(wanted, today)).isoformat()
    return wanted.isoformat()


def month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def check_company_write(company: Row, values: dict[str, Any]) -> None:
    """The hard lock only ever moves forward."""
    if HARD in values and company[HARD]:
        if values[HARD] is None:
            raise user_error("The Hard Lock Date cannot be removed.")
        if values[HARD] < company[HARD]:
            raise user_error("A new Hard Lock Date must be posterior (or equal) to the previous one.")
