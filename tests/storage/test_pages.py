from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Column, Connection, MetaData, String, Table, Text, bindparam

from libs.listing import After
from libs.storage.pages import Listing
from libs.storage.rows import insert_rows
from libs.storage.types import UtcTimestamp
from tests.storage.fixtures import EngineFor

THING = Table(
    "thing",
    MetaData(),
    Column("company", String(20)),
    Column("made_at", UtcTimestamp),
    Column("name", String(20), primary_key=True),
    Column("colour", Text),
)
THINGS = Listing(
    columns=[THING.c.made_at, THING.c.name],
    order=[THING.c.made_at, THING.c.name],
    filters={
        "company": THING.c.company == bindparam("company"),
        "colours": THING.c.colour.in_(bindparam("colours", expanding=True)),
        "name": THING.c.name == bindparam("name"),
    },
)
BEGIN = datetime(2026, 11, 22, 10, tzinfo=UTC)
COLOURS = ("red", "green", "blue")
# Three have each instant, in an order that is not their names'; every fourth is another company's.
ROWS = [
    ("other" if number % 4 == 3 else "acme", BEGIN + timedelta(milliseconds=number // 3), f"{97 * number % 30:02}", COLOURS[number % 3])
    for number in range(30)
]  # fmt: skip


@pytest.fixture
def connection(engine_for: EngineFor) -> Iterator[Connection]:
    engine = engine_for("tests.storage.sample")
    THING.create(engine)
    with engine.begin() as connection:
        insert_rows(connection, THING, ROWS, ["company", "made_at", "name", "colour"])
        yield connection


def walked(connection: Connection, given: dict[str, object], size: int) -> list[str]:
    """The names on all pages, one after the other."""
    found: list[str] = []
    after: After | None = None
    while rows := THINGS.page(connection, given, size, after):
        assert len(rows) <= size
        found += [name for _, name in rows]
        after = (rows[-1].made_at.isoformat(), rows[-1].name)
    return found


@pytest.mark.parametrize("size", [1, 2, 7, 30, 100])
def test_pages_give_each_row_once_and_in_order_whatever_their_size(connection: Connection, size: int) -> None:
    names = walked(connection, {"company": "acme"}, size)
    places = {name: (made_at, name) for _, made_at, name, _ in ROWS}
    assert all(places[one] < places[next_one] for one, next_one in pairwise(names))
    assert set(names) == {name for company, _, name, _ in ROWS if company == "acme"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"company": "other"},
        {"company": "nobody"},
        {"company": "acme", "colours": ["red"]},
        {"company": "acme", "colours": ["red", "blue"]},
        {"company": "acme", "colours": []},
        {"company": "acme", "name": "01"},
        {"colours": ["green"], "name": "01"},
    ],
    ids=str,
)
def test_every_filter_that_is_given_narrows_the_list(connection: Connection, given: dict[str, object]) -> None:
    expected = {
        name
        for company, _, name, colour in ROWS
        if given.get("company", company) == company
        and given.get("name", name) == name
        and colour in given.get("colours", COLOURS)  # type: ignore[operator]
    }
    for _ in range(2):  # the statement is kept
        assert set(walked(connection, given, 4)) == expected


def test_a_further_condition_holds_for_its_page_alone(connection: Connection) -> None:
    given = {"company": "acme"}
    every = {name for _, name in THINGS.page(connection, given, 100, None)}
    only = (THING.c.colour == "red") | (THING.c.name == "01")
    narrowed = THINGS.page(connection, given, 100, None, only=only)
    assert {name for _, name in narrowed} == {
        name for _, _, name, colour in ROWS if name in every and (colour == "red" or name == "01")
    }
    first, *later = narrowed
    place = (first.made_at.isoformat(), first.name)
    assert THINGS.page(connection, given, 100, place, only=only) == later
    assert {name for _, name in THINGS.page(connection, given, 100, None)} == every


def test_a_filter_that_the_list_does_not_have_is_refused(connection: Connection) -> None:
    with pytest.raises(KeyError):
        THINGS.page(connection, {"owner": "acme"}, 10, None)
