"""The chain of an account's statements: what is missing is named with the days to ask for, until it comes."""

from __future__ import annotations

from itertools import permutations

import pytest

from services.recon.domain.difference import DifferenceState
from services.recon.handlers.explain import explain
from tests.formats.camt_files import ACCOUNT, balance, document
from tests.recon.world import World, line_entry


def _statement(number: int, day: str, opening: str, amount: str, closing: str) -> bytes:
    line = line_entry(amount, f"order {number}").replace("2026-03-16", day)
    head = f"<Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>{ACCOUNT}"
    return document(balance("OPBD", opening, day), balance("CLBD", closing, day), line, head=head)


FIFTH = _statement(5, "2026-03-04", "96.00", "14.00", "110.00")
SIXTH = _statement(6, "2026-03-05", "110.00", "90.00", "200.00")
SEVENTH = _statement(7, "2026-03-06", "200.00", "15.00", "215.00")


def _missing(world: World) -> list[str]:
    world.run()
    return [found.message for found in world.differences() if found.reason == "STATEMENT_MISSING"]


def test_a_gap_names_the_days_to_ask_for_and_is_resolved_by_what_was_missing(world: World) -> None:
    world.statement(FIFTH)
    assert _missing(world) == []
    world.statement(SEVENTH)
    (message,) = _missing(world)
    assert "number 5" in message
    assert "ends with 110.00 EUR on 2026-03-04, this one begins with 200.00 EUR" in message
    assert "ask the bank for 2026-03-04 to 2026-03-06" in message
    (found,) = (found for found in world.differences() if found.reason == "STATEMENT_MISSING")
    assert (found.amount.minor_units, found.nearest_lacks) == (9000, "opening_balance")
    (trial,) = explain("acme", "differences", found.name.rpartition("/")[2], world.recon.new_uow).trials
    assert (trial.rule, trial.matched) == ("statement_follows", False)
    world.statement(SIXTH)
    assert _missing(world) == []


@pytest.mark.parametrize("order", list(permutations([FIFTH, SIXTH, SEVENTH])))
def test_the_order_of_arrival_leaves_no_gap(world: World, order: tuple[bytes, ...]) -> None:
    for content in order:
        world.statement(content)
    assert _missing(world) == []


def test_statements_of_one_day_and_parts_of_longer_ones_are_no_gap(world: World) -> None:
    world.statement(_statement(1, "2026-03-04", "0.00", "21.00", "21.00"))
    world.statement(_statement(2, "2026-03-04", "21.00", "20.00", "41.00"))
    lines = [line_entry(amount, f"order {amount}") for amount in ("41.00", "9.00")]
    days = [line.replace("2026-03-16", day) for line, day in zip(lines, ("2026-03-04", "2026-03-06"), strict=True)]
    world.statement(document(balance("OPBD", "0.00"), balance("CLBD", "50.00"), *days, head="<Id>M</Id>" + ACCOUNT))
    assert _missing(world) == []


def test_reversals_turned_round_are_the_cause_in_the_difference(world: World) -> None:
    reversal = line_entry("-20.00", "back").replace("<Sts>", "<RvslInd>true</RvslInd><Sts>")
    parts = balance("OPBD", "100.00"), balance("CLBD", "110.00"), line_entry("-20.00"), reversal, line_entry("10.00")
    world.statement(document(*parts))
    world.run()
    (found,) = (found for found in world.differences() if found.subject.startswith("companies/acme/statements/"))
    assert (found.reason, found.amount.minor_units) == ("REVERSALS_WITH_OTHER_SIGN", 4000)
    assert found.state is DifferenceState.OPEN


@pytest.mark.parametrize(
    ("balances", "ties"),
    [
        ([balance("OPBD", "0.00"), balance("CLBD", "9.00")], True),
        ([balance("OPBD", "0.00"), balance("CLBD", "8.00")], False),
        ([balance("OPBD", "0.00"), balance("CLAV", "9.00")], None),
    ],
)
def test_what_is_not_proved_is_unknown_and_not_wrong(world: World, balances: list[str], ties: bool | None) -> None:
    answer = world.statement(document(*balances, line_entry("9.00")))
    with world.recon.new_uow(read_only=True) as uow:
        assert uow.statements.get(answer.statements[0]).ties is ties


def test_a_page_corrects_no_other_page(world: World) -> None:
    def page(number: str, last: str, *parts: str) -> bytes:
        pages = f"<StmtPgntn><PgNb>{number}</PgNb><LastPgInd>{last}</LastPgInd></StmtPgntn>"
        return document(*parts, head=f"<Id>S1</Id>{pages}{ACCOUNT}")

    world.statement(page("1", "false", balance("OPBD", "0.00"), balance("ITBD", "10.00"), line_entry("9.00", "a")))
    world.pass_time(60)
    world.statement(page("2", "true", balance("ITBD", "10.00"), balance("CLBD", "14.00"), line_entry("4.00", "b")))
    world.run()
    assert "STATEMENT_DOES_NOT_TIE" in {found.reason for found in world.differences()}
