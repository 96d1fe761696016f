from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, create_engine, insert, select

from libs.money import Money
from libs.storage.layout import Layout
from libs.storage.types import UtcTimestamp

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class State(Enum):
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Parcel:
    name: str
    state: State
    amount: Money
    fee: Money | None
    words: tuple[str, ...]
    is_late: bool
    is_lost: bool
    at: datetime
    owner: str = "nobody"  # has no column


PARCEL = Table(
    "parcel",
    MetaData(),
    Column("name", String(64), primary_key=True),
    Column("company", String(64)),
    Column("state", String(16)),
    Column("currency", String(3)),
    Column("minor_units", BigInteger),
    Column("fee", BigInteger, nullable=True),
    Column("words", String(64)),
    Column("is_late", Integer),
    Column("is_lost", Boolean),
    Column("at", UtcTimestamp),
)
PARCELS = Layout(Parcel, PARCEL)
VALUE = Parcel("a", State.OPEN, Money("USD", 500), Money("USD", 29), ("é", "x"), True, False, NOW, owner="finance")


def test_a_row_has_the_columns_of_the_fields() -> None:
    assert PARCELS.row_of(VALUE) == {
        "name": "a",
        "state": "open",
        "currency": "USD",
        "minor_units": 500,
        "fee": 29,
        "words": '["é","x"]',
        "is_late": 1,
        "is_lost": False,
        "at": NOW,
    }


def test_a_value_comes_back_as_it_was_kept() -> None:
    engine = create_engine("sqlite://")
    without_fee = Parcel("b", State.OPEN, Money("JPY", 7), None, (), False, True, NOW)
    with engine.begin() as connection:
        PARCEL.create(connection)
        for value in (VALUE, without_fee):
            connection.execute(insert(PARCEL).values(PARCELS.row_of(value) | {"company": "acme"}))
        first, second = connection.execute(select(PARCEL).order_by(PARCEL.c.name))

    assert PARCELS.value_of(first, owner="finance") == VALUE
    assert PARCELS.value_of(second) == without_fee
    assert PARCELS.value_of(second).is_lost is True
