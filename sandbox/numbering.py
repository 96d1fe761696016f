"""Numbers are given at posting: per journal, year or month, credit notes apart.

Odoo has no counter: the next number is read off the journal's last name, whatever its
form. So a name of our own is carried on for good ("hijacked").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .env import Env
from .kinds import REFUNDS
from .store import Row

_NUMBER = re.compile(r"^(?P<prefix>.*?)(?P<number>\d+)(?P<suffix>\D*)$", re.DOTALL)
_MONTHLY = re.compile(
    r"^(?P<head>(?:.*\D)?)(?P<year>(?:19|20|21)\d\d)(?P<gap>\D*)(?P<month>0[1-9]|1[0-2])(?P<tail>\D+)$"
)
_YEARLY = re.compile(r"^(?P<head>(?:.*\D)?)(?P<year>(?:19|20|21)\d\d)(?P<tail>\D+)$")


@dataclass(frozen=True, slots=True)
class Form:
    """How a journal writes its names, read off one of them."""

    reset: str  # month, year or never
    parts: tuple[str, ...]  # around year and month
    digits: int
    suffix: str

    @classmethod
    def of(cls, name: str) -> Form:
        match = _NUMBER.match(name)
        if match is None:
            return cls("never", (name,), 1, "")
        prefix, digits, suffix = match["prefix"], len(match["number"]), match["suffix"]
        if month := _MONTHLY.match(prefix):
            return cls("month", (month["head"], month["gap"], month["tail"]), digits, suffix)
        if year := _YEARLY.match(prefix):
            return cls("year", (year["head"], year["tail"]), digits, suffix)
        return cls("never", (prefix,), digits, suffix)

    def prefix(self, day: str) -> str:
        if self.reset == "month":
            return f"{self.parts[0]}{day[:4]}{self.parts[1]}{day[5:7]}{self.parts[2]}"
        if self.reset == "year":
            return f"{self.parts[0]}{day[:4]}{self.parts[1]}"
        return self.parts[0]


def split(name: str | None) -> tuple[str, int]:
    """A name's prefix and number, as Odoo keeps them beside it."""
    match = _NUMBER.match(name or "")
    return (match["prefix"], int(match["number"])) if match else (name or "", 0)


def form_of(env: Env, journal: Row, move_type: str, day: str, move_id: int = 0) -> Form:
    """The form of the next name: that of the journal's latest record in the period, else of its latest at all."""
    kind = ""
    if journal["refund_sequence"]:
        kind = f" AND move_type {'IN' if move_type in REFUNDS else 'NOT IN'} ('out_refund', 'in_refund')"
    named = f"SELECT name FROM account_move WHERE journal_id = ? AND id != ? AND name IS NOT NULL{kind}"  # noqa: S608
    key = (journal["id"], move_id)
    # The nearest name up to the day tells whether the journal counts by month or by year.
    nearest = env.store.one(f"{named} AND date <= ? ORDER BY date DESC, id DESC LIMIT 1", (*key, day))
    nearest = nearest or env.store.one(f"{named} ORDER BY date, id LIMIT 1", key)
    if nearest is None:
        return Form.of(starting_name(journal, move_type, day))
    length = {"month": 7, "year": 4}.get(Form.of(nearest).reset, 0)
    # "+date" keeps SQLite on the journal's own order of ids, where the first hit is the answer.
    latest = env.store.one(
        f"{named} AND substr(+date, 1, ?) = ? ORDER BY id DESC LIMIT 1", (*key, length, day[:length])
    )
    return Form.of(latest or env.store.one(f"{named} ORDER BY id DESC LIMIT 1", key))


def starting_name(journal: Row, move_type: str, day: str) -> str:
    """The name before the first one of a journal that has none yet."""
    code = journal["code"]
    if journal["refund_sequence"] and move_type in REFUNDS:
        code = f"R{code}"
    if journal["type"] in ("sale", "bank", "cash", "credit"):
        return f"{code}/{day[:4]}/00000"
    return f"{code}/{day[:4]}/{day[5:7]}/0000"


def next_name(env: Env, journal: Row, move: Row) -> tuple[str, str, int]:
    """The move's name, its prefix and its number."""
    form = form_of(env, journal, move["move_type"], move["date"], move["id"])
    prefix = form.prefix(move["date"])
    last = env.store.one(
        "SELECT MAX(sequence_number) FROM account_move WHERE journal_id = ? AND sequence_prefix = ?",
        (journal["id"], prefix),
    )
    number = (last or 0) + 1
    return f"{prefix}{number:0{form.digits}d}{form.suffix}", prefix, number


def fits(name: str, day: str) -> bool:
    """Whether a name's year and month are those of the day."""
    prefix, _ = split(name)
    return Form.of(name).prefix(day) == prefix
