"""Bank lines against their targets, rule by rule.

Each pass looks at what is still open. A pair is matched only if neither side has another partner of the same rank,
the rule proves it and the line contradicts nothing; what lacks only the last two is proposed, the rest is ambiguous.
Either way the line leaves the passes, and the target stays only to make others doubtful that mean it too. No
pass lists candidates: items that a rule cannot tell apart are one point, so a thousand equal amounts on a day cost no
more than their number.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import duckdb
import pyarrow as pa

from ..domain.items import BankItem, Target
from ..domain.outcome import Ambiguity, Nearest, Pair, Proposal, Result
from ..domain.rules import RULES, Rule

_EPOCH_ORDINAL = 719163  # date(1970, 1, 1).toordinal()

# A side by what a rule compares, the empty word where none is asked for. Stored, or the planner may join it badly.
_SEEN = """
    CREATE OR REPLACE TEMP TABLE {side}_seen AS
    SELECT word, currency, units, day, id FROM {side} JOIN {side}_word USING (id) WHERE {wanted}
"""
_MEETINGS = """
    CREATE OR REPLACE TEMP TABLE meeting AS
    WITH b AS (
        SELECT word, currency, units, day, min(id) AS low, max(id) AS high FROM bank_seen GROUP BY ALL
    ),
    t AS (
        SELECT word, currency, units, day, min(id) AS low, max(id) AS high FROM target_seen GROUP BY ALL
    )
    SELECT word, currency, units, b.day AS bank_day, t.day AS target_day,
        b.low AS bank_low, b.high AS bank_high, t.low AS target_low, t.high AS target_high
    FROM b JOIN t USING (word, currency, units) WHERE b.day BETWEEN t.day - ? AND t.day + ?
"""
# Whoever has a partner, with the first and the last of them: they are the same where there is one.
_PARTNERS = """
    CREATE OR REPLACE TEMP TABLE {side}_partners AS
    SELECT id, min(low) AS low, max(high) AS high
    FROM {side}_seen JOIN (
        SELECT word, currency, units, {side}_day AS day, min({other}_low) AS low, max({other}_high) AS high
        FROM meeting GROUP BY ALL
    ) USING (word, currency, units, day)
    GROUP BY id
"""
_DECIDED = """
    CREATE OR REPLACE TEMP TABLE decided AS
    SELECT b.id, b.low, b.high, b.low = b.high AND t.low = t.high AND NOT contested AS alone,
        CASE WHEN contradicted THEN 'contradiction' WHEN ? THEN '' ELSE 'evidence' END AS lacks
    FROM bank_partners b JOIN target_partners t ON t.id = b.low JOIN target ON target.id = b.low
        JOIN bank ON bank.id = b.id
"""
# The amounts next to each line's own, below and above, among targets that share a word; only without one, among all.
_NEAR_AMOUNTS = """
    CREATE OR REPLACE TEMP TABLE near AS
    WITH line AS (SELECT *, sign(units) AS side FROM bank JOIN bank_word USING (id)),
    amount AS (SELECT DISTINCT word, currency, sign(units) AS side, units FROM target JOIN target_word USING (id)),
    found AS (
        SELECT line.*, a.units AS target_units FROM line ASOF JOIN amount a
            ON a.word = line.word AND a.currency = line.currency AND a.side = line.side AND a.units <= line.units
        UNION ALL
        SELECT line.*, a.units AS target_units FROM line ASOF JOIN amount a
            ON a.word = line.word AND a.currency = line.currency AND a.side = line.side AND a.units >= line.units
    )
    SELECT *, word <> '' AS shares, abs(target_units - units) AS units_gap FROM found
    QUALIFY rank() OVER (PARTITION BY id ORDER BY word = '', abs(target_units - units)) = 1
"""
_NEAREST = """
    WITH point AS (
        SELECT word, currency, units, day, min(id) AS low FROM target JOIN target_word USING (id) GROUP BY ALL
    ),
    found AS (
        SELECT near.*, p.day AS target_day, p.low FROM near ASOF JOIN point p
            ON p.word = near.word AND p.currency = near.currency AND p.units = near.target_units AND p.day <= near.day
        UNION ALL
        SELECT near.*, p.day AS target_day, p.low FROM near ASOF JOIN point p
            ON p.word = near.word AND p.currency = near.currency AND p.units = near.target_units AND p.day >= near.day
    )
    SELECT id, low, units_gap, abs(target_day - day) AS day_gap, shares FROM found
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY abs(target_day - day), low) = 1 ORDER BY id
"""


def match(
    bank: Sequence[BankItem], targets: Sequence[Target], rules: Sequence[Rule] = RULES, memory_limit: str = "512MB"
) -> Result:
    """Match what is open on both sides. Deterministic: the same inputs give the same result in the same order."""
    result = Result()
    if not bank:
        return result
    # Their numbers stand for the items, in the order of their names.
    bank = sorted(bank, key=lambda item: item.posting)
    targets = sorted(targets, key=lambda target: target.posting)
    with _tables(bank, targets, memory_limit) as db:
        kinds = {target.kind for target in targets}
        for rule in (rule for rule in rules if rule.kind in kinds):
            for line, low, high, alone, lacks in _pass(db, rule):
                if alone and lacks:
                    result.proposed.append(Proposal(bank[line].posting, targets[low].posting, rule.name, lacks))
                elif alone:
                    result.pairs.append(Pair(bank[line].posting, targets[low].posting, rule.name))
                else:
                    ends = dict.fromkeys((targets[low].posting, targets[high].posting))
                    result.ambiguous.append(Ambiguity(bank[line].posting, rule.name, tuple(ends)))
        db.execute(_NEAR_AMOUNTS)
        for line, target, units_gap, day_gap, shares in db.execute(_NEAREST).fetchall():
            missing = ["amount"] if units_gap else []
            missing += ["date_window"] if not units_gap and day_gap else []
            missing += [] if shares else ["reference"]
            result.nearest.append(Nearest(bank[line].posting, targets[target].posting, tuple(missing)))
    return result


@contextmanager
def _tables(
    bank: Sequence[BankItem], targets: Sequence[Target], memory_limit: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    db = _database(memory_limit).cursor()  # a connection of its own: what is temporary ends with it
    try:
        doubts = pa.array([bool(item.contradiction) for item in bank], pa.bool_())
        db.register("bank_in", _side(bank, [""] * len(bank)).append_column("contradicted", doubts))
        db.register("target_in", _side(targets, [target.kind.value for target in targets]))
        db.register("bank_said", _words(bank))
        db.register("target_said", _words(targets))
        db.execute("CREATE TEMP TABLE bank AS SELECT * FROM bank_in")
        db.execute("CREATE TEMP TABLE target AS SELECT *, false AS contested FROM target_in")
        for side, other in (("bank", "target"), ("target", "bank")):
            db.execute(
                f"CREATE TEMP TABLE {side}_word AS SELECT id, word FROM {side}_said"  # noqa: S608
                f" WHERE word IN (SELECT word FROM {other}_said) UNION ALL SELECT id, '' FROM {side}"
            )
        yield db
    finally:
        db.close()


@lru_cache
def _database(memory_limit: str) -> duckdb.DuckDBPyConnection:
    """One for the process's life: to open it costs more than a pass over a day's lines."""
    return duckdb.connect(
        ":memory:", config={"threads": 1, "memory_limit": memory_limit, "temp_directory": _spill().name}
    )


@lru_cache
def _spill() -> tempfile.TemporaryDirectory[str]:
    """Where more than the memory limit goes; nobody else's, and gone with the process."""
    return tempfile.TemporaryDirectory(prefix="concord-recon-")


def _pass(db: duckdb.DuckDBPyConnection, rule: Rule) -> list[tuple[int, int, int, bool, str]]:
    """(line, its first target, its last target, whether they are the only ones for each other, what the pair lacks)"""
    word = "word <> ''" if rule.by_reference else "word = ''"
    of_kind = f"{word} AND kind = '{rule.kind.value}'"
    for side, wanted in (("bank", word), ("target", of_kind)):
        db.execute(_SEEN.format(side=side, wanted=wanted))
    if db.execute(_MEETINGS, [rule.days_before, rule.days_after]).fetchall() == [(0,)]:
        return []
    for side, other in (("bank", "target"), ("target", "bank")):
        db.execute(_PARTNERS.format(side=side, other=other))
    db.execute(_DECIDED, [rule.by_reference])
    db.execute("DELETE FROM bank WHERE id IN (SELECT id FROM decided)")
    db.execute("DELETE FROM target WHERE id IN (SELECT low FROM decided WHERE alone AND lacks = '')")
    db.execute("UPDATE target SET contested = true WHERE id IN (SELECT id FROM target_partners)")
    found: list[tuple[int, int, int, bool, str]] = db.execute("SELECT * FROM decided ORDER BY id").fetchall()
    return found


def _side(items: Sequence[BankItem] | Sequence[Target], kinds: list[str]) -> pa.Table:
    return pa.table(
        {
            "id": pa.array(range(len(items)), pa.int32()),
            "kind": pa.array(kinds, pa.string()),
            "units": pa.array([item.amount.minor_units for item in items], pa.int64()),
            "currency": pa.array([item.amount.currency for item in items], pa.string()),
            "day": pa.array([item.day.toordinal() - _EPOCH_ORDINAL for item in items], pa.int32()),
        }
    )


def _words(items: Sequence[BankItem | Target]) -> pa.Table:
    words = [(number, word) for number, item in enumerate(items) for word in item.tokens]
    return pa.table(
        {
            "id": pa.array([number for number, _ in words], pa.int32()),
            "word": pa.array([word for _, word in words], pa.string()),
        }
    )
