"""Bank lines against their targets, rule by rule.

Each pass is one join of what is still open. A pair is matched only if neither side has another partner of the
same rank; otherwise both sides are ambiguous and leave the passes with their candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import duckdb
import pyarrow as pa

from ..domain.items import BankItem, Target
from ..domain.outcome import Ambiguity, Nearest, Pair, Result
from ..domain.rules import RULES, Rule

_EPOCH_ORDINAL = 719163  # date(1970, 1, 1).toordinal()


def match(
    bank: Sequence[BankItem], targets: Sequence[Target], rules: Sequence[Rule] = RULES, memory_limit: str = "512MB"
) -> Result:
    """Match what is open on both sides. Deterministic: the same inputs give the same result in the same order."""
    result = Result()
    if not bank:
        return result
    with _tables(bank, targets, memory_limit) as db:
        for rule in rules:
            _pass(db, rule, result)
        _nearest(db, result)
    return result


@contextmanager
def _tables(
    bank: Sequence[BankItem], targets: Sequence[Target], memory_limit: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    db = _database(memory_limit).cursor()  # a connection of its own: what is temporary ends with it
    try:
        db.register("bank_in", _sides(bank, [""] * len(bank)))
        db.register("target_in", _sides(targets, [one.kind.value for one in targets]))
        db.register("bank_word", _words(bank))
        db.register("target_word", _words(targets))
        db.execute("CREATE TEMP TABLE bank AS SELECT * FROM bank_in")
        db.execute("CREATE TEMP TABLE target AS SELECT * FROM target_in")
        # Joined once: pairs that share a word. Never more than the shorter side's words, so no cross product.
        db.execute(
            "CREATE TEMP TABLE shared AS SELECT DISTINCT b.key AS bank, t.key AS target"
            " FROM bank_word b JOIN target_word t ON b.word = t.word"
        )
        yield db
    finally:
        db.close()


@lru_cache
def _database(memory_limit: str) -> duckdb.DuckDBPyConnection:
    """One for the process's life: to open it costs more than a pass over a day's lines."""
    return duckdb.connect(":memory:", config={"threads": 1, "memory_limit": memory_limit})


def _pass(db: duckdb.DuckDBPyConnection, rule: Rule, result: Result) -> None:
    reference = "JOIN shared s ON s.bank = b.key AND s.target = t.key" if rule.by_reference else ""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE candidate AS SELECT b.key AS bank, t.key AS target FROM bank b"  # noqa: S608
        f" JOIN target t ON t.units = b.units AND t.currency = b.currency {reference}"
        " WHERE t.kind = ? AND b.day BETWEEN t.day - ? AND t.day + ?",
        [rule.kind.value, rule.days_before, rule.days_after],
    )
    rows = db.execute(
        "SELECT bank, list(target ORDER BY target), max(rivals) FROM"
        " (SELECT bank, target, count(*) OVER (PARTITION BY target) AS rivals FROM candidate)"
        " GROUP BY bank ORDER BY bank"
    ).fetchall()
    taken = []
    for key, candidates, rivals in rows:
        if len(candidates) == 1 and rivals == 1:
            result.pairs.append(Pair(key, candidates[0], rule.name))
            taken.append(candidates[0])
        else:
            result.ambiguous.append(Ambiguity(key, rule.name, tuple(candidates)))
    if rows:
        db.execute("DELETE FROM bank WHERE key IN (SELECT bank FROM candidate)")
    if taken:
        db.execute("DELETE FROM target WHERE key IN (SELECT unnest(?))", [taken])


def _nearest(db: duckdb.DuckDBPyConnection, result: Result) -> None:
    """For each line left: a target that shares a word, else the nearest in amount, then in time."""
    rows = db.execute(
        "SELECT bank, target, units_gap, day_gap, shares FROM ("
        " SELECT b.key AS bank, t.key AS target, abs(t.units - b.units) AS units_gap, abs(t.day - b.day) AS day_gap,"
        " s.bank IS NOT NULL AS shares, row_number() OVER (PARTITION BY b.key ORDER BY s.bank IS NULL,"
        " abs(t.units - b.units), abs(t.day - b.day), t.key) AS place"
        " FROM bank b JOIN target t ON t.currency = b.currency AND sign(t.units) = sign(b.units)"
        " LEFT JOIN shared s ON s.bank = b.key AND s.target = t.key"
        ") WHERE place = 1 ORDER BY bank"
    ).fetchall()
    for key, target, units_gap, day_gap, shares in rows:
        lacks = ["amount"] if units_gap else []
        lacks += ["date_window"] if not units_gap and day_gap else []
        lacks += [] if shares else ["reference"]
        result.nearest.append(Nearest(key, target, tuple(lacks)))


def _sides(items: Sequence[BankItem] | Sequence[Target], kinds: list[str]) -> pa.Table:
    return pa.table(
        {
            "key": pa.array([one.posting for one in items], pa.string()),
            "kind": pa.array(kinds, pa.string()),
            "units": pa.array([one.amount.minor_units for one in items], pa.int64()),
            "currency": pa.array([one.amount.currency for one in items], pa.string()),
            "day": pa.array([one.day.toordinal() - _EPOCH_ORDINAL for one in items], pa.int32()),
        }
    )


def _words(items: Sequence[BankItem] | Sequence[Target]) -> pa.Table:
    words = [(one.posting, word) for one in items for word in sorted(one.tokens)]
    return pa.table(
        {
            "key": pa.array([key for key, _ in words], pa.string()),
            "word": pa.array([word for _, word in words], pa.string()),
        }
    )
