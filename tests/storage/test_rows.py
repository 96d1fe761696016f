from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    select,
)

from libs.storage.errors import ConstraintBroken, StorageConflict
from libs.storage.rows import insert_new, insert_rows
from libs.storage.types import UtcTimestamp
from tests.storage.fixtures import EngineFor
from tests.storage.sample.storage.rows import JOB, NOTE

SAMPLE = "tests.storage.sample"
KINDS = Table(
    "kinds",
    MetaData(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("order", Text),  # a reserved word
    Column("code", String(3)),
    Column("body", LargeBinary),
    Column("at", UtcTimestamp),
    Column("day", Date),
    Column("done", Boolean),
    Column("part", BigInteger),
    UniqueConstraint("code", "part"),
)
AT = datetime(2026, 11, 22, 10, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def engine(engine_for: EngineFor) -> Engine:
    engine = engine_for(SAMPLE)
    KINDS.create(engine)
    return engine


def notes(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "body": f"body of {name}"} for name in names]


def kind(number: int, **values: Any) -> dict[str, Any]:
    empty = {"order": None, "code": None, "body": None, "at": None, "day": None, "done": None, "part": None}
    return {"id": number, **empty, **values}


def test_every_kind_of_value_comes_back_as_it_was(engine: Engine) -> None:
    awkward = ["", " ", "NULL", "null", "a,b", '"', "\\", '\\"', "{}", "'", "%s", "ü🜚", "a\nb\tc", ":x", "\\N"]
    rows = [kind(number, order=value) for number, value in enumerate(awkward)]
    rows.append(kind(100, code="EUR", body=b'\x00\xff\\"{', at=AT, day=date(2026, 2, 28), done=True, part=-(2**63)))
    rows.append(kind(101, done=False, body=b"", part=2**63 - 1))
    with engine.begin() as connection:
        insert_rows(connection, KINDS, rows)
        assert [dict(row._mapping) for row in connection.execute(select(KINDS).order_by(KINDS.c.id))] == rows


@pytest.mark.parametrize("count", [1, 499, 500, 501, 1700])
def test_only_rows_with_a_new_key_are_inserted_and_named(engine: Engine, count: int) -> None:
    names = [f'a "{number}\\' for number in range(count)]
    with engine.begin() as connection:
        insert_rows(connection, NOTE, notes(*names[::2]))
    with engine.begin() as connection:
        assert insert_new(connection, NOTE, notes(*names), ["name"]) == set(names[1::2])
        assert insert_new(connection, NOTE, notes(*names), ["name"]) == set()
        assert sorted(connection.scalars(select(NOTE.c.name))) == sorted(names)


def test_a_key_may_have_several_columns(engine: Engine) -> None:
    rows = [kind(number, code=f"C{number % 3}", part=number % 4) for number in range(12)]
    with engine.begin() as connection:
        assert insert_new(connection, KINDS, rows[:6], ["code", "part"]) == {(r["code"], r["part"]) for r in rows[:6]}
        again = [row | {"id": row["id"] + 100} for row in rows]
        assert insert_new(connection, KINDS, again, ["code", "part"]) == {(r["code"], r["part"]) for r in rows[6:]}


def test_of_rows_with_the_same_key_the_first_counts(engine: Engine) -> None:
    with engine.begin() as connection:
        twins = [{"name": "a", "body": "first"}, {"name": "a", "body": "second"}]
        assert insert_new(connection, NOTE, twins, ["name"]) == {"a"}
        assert connection.scalars(select(NOTE.c.body)).all() == ["first"]


def test_nothing_to_insert_is_no_statement(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_rows(connection, NOTE, [])
        assert insert_new(connection, NOTE, [], ["name"]) == set()


def test_only_the_named_key_may_be_taken(engine: Engine) -> None:
    """Not another one, and no check may fail in silence either."""
    with engine.begin() as connection:
        insert_rows(connection, KINDS, [kind(1, code="EUR", part=1)])
    with pytest.raises(StorageConflict), engine.begin() as connection:
        insert_new(connection, KINDS, [kind(1, code="USD", part=1)], ["code", "part"])
    with pytest.raises(ConstraintBroken), engine.begin() as connection:
        insert_new(connection, NOTE, [{"name": "a", "body": ""}], ["name"])


def test_a_text_that_is_too_long_is_refused_and_not_cut_off(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite does not limit texts")
    with pytest.raises(Exception, match="22001"), engine.begin() as connection:
        insert_rows(connection, KINDS, [kind(1, code="EURO")])


def test_a_nul_character_can_not_shift_values_to_other_rows(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite stores NUL characters")
    with pytest.raises(ValueError, match="NUL"), engine.begin() as connection:
        insert_rows(connection, NOTE, notes("a\x00b", "c"))


def test_when_two_transactions_insert_the_same_key_one_of_them_does(engine: Engine) -> None:
    names = [f"{number:03d}" for number in range(50)]
    inserted: list[set[Any]] = []
    start = threading.Barrier(4)

    def race() -> None:
        start.wait()
        with engine.begin() as connection:
            inserted.append(insert_new(connection, NOTE, notes(*names), ["name"]))

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for part in inserted for name in part) == names


def test_the_columns_of_a_lease_are_written_too(engine: Engine) -> None:
    row = {"id": "a", "state": "READY", "available_at": AT, "fence": 0, "attempts": 0, "lane": 1}
    with engine.begin() as connection:
        assert insert_new(connection, JOB, [row], ["id"]) == {"a"}
        assert connection.execute(select(JOB)).one().available_at == AT
