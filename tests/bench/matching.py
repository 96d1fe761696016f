"""Matching bank lines with what should arrive, against the bare joins (PERFORMANCE, goal 5, first half)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from libs.money import Money
from services.recon.domain.items import BankItem, Target, TargetKind, tokens_of
from services.recon.engine.passes import match
from tests.bench.turns import Goal, Measured, Result, Stopwatch, take_turns

FIRST_DAY = date(2026, 1, 1)
BY_REFERENCE = 0.9  # of the lines; the others have only amount and date in common with their partner
MEMORY = "512MB"
STRAYS = 0.01


@dataclass(frozen=True, slots=True)
class Workload:
    """`lines` bank lines and as many targets; `strays` is the share of lines without a partner."""

    lines: int = 100_000
    strays: float = 0.0
    seed: int = 7

    def sides(self) -> tuple[list[BankItem], list[Target], dict[str, str]]:
        """Both sides, and the target of each line that has one."""
        rng = random.Random(self.seed)
        bank, targets, expected = [], [], {}
        for number in range(self.lines):
            key, other = f"b{number:07}", f"t{number:07}"
            day = FIRST_DAY + timedelta(days=rng.randrange(300))
            amount = Money("USD", 10_000 + number)  # each its own, so that a line has one partner
            chance = rng.random()
            words = f"PAYOUT po{number:08}x" if chance < BY_REFERENCE else "PAYOUT"
            stray = chance >= 1 - self.strays
            paid = Money("USD", 50_000_000 + number * 7) if stray else amount
            bank.append(BankItem(key, paid, day + timedelta(days=rng.randrange(3)), tokens_of([words])))
            targets.append(Target(other, TargetKind.PAYOUT, amount, day, tokens_of([f"po{number:08}x"])))
            if not stray:
                expected[key] = other
        rng.shuffle(targets)
        return bank, targets, expected


def run(turns: int, lines: int = 100_000) -> Result:
    """The passes of recon on values, and two joins of the same columns that DuckDB has in Arrow already."""
    all_paired, some_stray = Workload(lines), Workload(lines, strays=STRAYS)
    bank, targets, expected = all_paired.sides()
    bank_table, target_table = _table(bank), _table(targets)
    stray_sides = some_stray.sides()
    result = Result(
        "matching",
        f"{lines:,} bank lines with as many payouts: 90 % by reference, the rest by amount and date. The limit joins "
        "the same columns by reference, then by amount and date what is left.",
    )

    def limit(_: int) -> Measured:
        with Stopwatch() as watch:
            found = _joined(bank_table, target_table)
        assert dict(found) == expected
        return {"seconds": watch.seconds, "cpu_seconds": watch.cpu_seconds}

    steps = {
        "suite": lambda _: _matched(bank, targets, expected),
        "limit": limit,
        "strays": lambda _: _matched(*stray_sides),
    }
    result.turns = take_turns(turns, steps)
    goal = Goal("≤ 1.5", at_most=1.5)
    result.ratio("time ÷ the bare joins", "suite", "limit", "seconds", goal)
    result.ratio("CPU ÷ the bare joins", "suite", "limit", "cpu_seconds")
    result.ratio(f"time with {STRAYS:.0%} of the lines without a partner ÷ without", "strays", "suite", "seconds")
    result.each("time", "s", "suite", "seconds")
    result.each("time of the bare joins", "s", "limit", "seconds")
    result.checks.append(
        "suite and limit find the same pairs, the ones that the workload was made of; those without reference as proposals"
    )
    result.notes.append(
        "the suite's time begins with Python values and ends with them, and every candidate is checked for rivals; "
        "the limit begins with Arrow tables and looks for no rival"
    )
    return result


def _matched(bank: list[BankItem], targets: list[Target], expected: dict[str, str]) -> Measured:
    with Stopwatch() as watch:
        found = match(bank, targets, memory_limit=MEMORY)
    sure = {one.bank: one.target for one in found.pairs}
    assert sure | {one.bank: one.target for one in found.proposed} == expected
    assert len(found.nearest) + len(found.ambiguous) == len(bank) - len(expected)
    return {"seconds": watch.seconds, "cpu_seconds": watch.cpu_seconds}


def _joined(bank: pa.Table, target: pa.Table) -> list[Any]:
    """The bare joins."""
    db = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": MEMORY})
    try:
        db.register("bank", bank)
        db.register("target", target)
        db.execute(
            "CREATE TABLE referred AS SELECT b.key AS bank, t.key AS target FROM bank b JOIN target t"
            " ON t.word = b.word AND t.units = b.units AND t.currency = b.currency WHERE b.word <> ''"
        )
        return db.execute(
            "SELECT bank, target FROM referred UNION ALL"
            " SELECT b.key, t.key FROM bank b JOIN target t ON t.units = b.units AND t.currency = b.currency"
            " AND b.day BETWEEN t.day - 2 AND t.day + 7"
            " WHERE b.key NOT IN (SELECT bank FROM referred) AND t.key NOT IN (SELECT target FROM referred)"
        ).fetchall()
    finally:
        db.close()


def _table(items: list[BankItem] | list[Target]) -> pa.Table:
    return pa.table(
        {
            "key": [one.posting for one in items],
            "units": [one.amount.minor_units for one in items],
            "currency": [one.amount.currency for one in items],
            "day": [one.day.toordinal() for one in items],
            "word": [next(iter(one.tokens), "") for one in items],
        }
    )
