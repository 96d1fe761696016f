from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from types import SimpleNamespace

import pytest
from concord.masterdata.v1 import mapping_pb2, records_pb2
from concord.recon.v1 import statement_pb2
from concord.trace.v1 import trace_pb2

from libs.money import Money
from libs.rpc.filling import filled
from libs.rpc.scalars import from_money, from_time

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    balance_transaction: str
    gross: Money
    fee: Money
    net: Money


@dataclass(frozen=True, slots=True)
class Payout:
    name: str
    interface: str
    payout_id: str
    payout_transaction: str
    amount: Money
    arrival_date: date | None
    lines: tuple[Line, ...]
    bank_references: tuple[str, ...]

    @property
    def ties(self) -> bool:
        return True


LINE = Line("txn_1", Money("USD", 1000), Money("USD", 59), Money("USD", 941))
PAYOUT = Payout("companies/acme/settlements/po_1", "stripe/a", "po_1", "", LINE.net, date(2026, 3, 2), (LINE,), ("r",))


def test_fields_come_from_attributes_of_their_names() -> None:
    message = filled(statement_pb2.Settlement, PAYOUT)

    line = statement_pb2.SettlementLine(
        balance_transaction="txn_1",
        gross=from_money(LINE.gross),
        fee=from_money(LINE.fee),
        net=from_money(LINE.net),
    )
    assert message == statement_pb2.Settlement(
        name=PAYOUT.name,
        interface="stripe/a",
        payout_id="po_1",
        amount=from_money(LINE.net),
        arrival_date="2026-03-02",
        lines=[line],
        bank_references=["r"],
        ties=True,
    )


def test_what_is_none_is_left_unset() -> None:
    assert filled(statement_pb2.Settlement, replace(PAYOUT, arrival_date=None)).arrival_date == ""
    assert not filled(statement_pb2.Settlement, PAYOUT, amount=None).HasField("amount")


def test_a_given_field_wins_and_is_converted_too() -> None:
    given = statement_pb2.SettlementLine(balance_transaction="txn_2")

    message = filled(statement_pb2.Settlement, PAYOUT, amount=Money("EUR", 5), lines=[given])

    assert message.amount == from_money(Money("EUR", 5))
    assert list(message.lines) == [given]


def test_currencies_enums_maps_and_instants() -> None:
    class State(Enum):
        DONE = "done"

    run = SimpleNamespace(state=State.DONE, records={"accounts": 2}, changed=1, revision=3, reason="")
    message = filled(records_pb2.SyncRun, run, name="n", start_time=NOW, end_time=None)
    total = SimpleNamespace(interface="", currency="USD", day=NOW.date(), bucket="", minor_units=1)
    counted = filled(trace_pb2.ControlTotal, total, company="c", event_count=1, name_set_hash="")

    assert (message.state, dict(message.records)) == (records_pb2.SyncRun.STATE_DONE, {"accounts": 2})
    assert (message.start_time, message.HasField("end_time")) == (from_time(NOW), False)
    assert (counted.currency_code, counted.day) == ("USD", "2026-03-01")


def test_a_field_that_nothing_fills_is_an_error() -> None:
    with pytest.raises(AttributeError, match="line"):
        filled(mapping_pb2.MappingFinding, SimpleNamespace(severity=None, reason="", message=""))
    with pytest.raises(ValueError, match="lines_"):
        filled(statement_pb2.Settlement, PAYOUT, lines_=[])
