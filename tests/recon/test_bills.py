"""A supplier's bill is paid by the bank line that says so, and by no other."""

from __future__ import annotations

import pytest

from services.recon.domain.match import MatchState, MatchType
from services.recon.handlers.explain import explain
from tests.recon.world import World, bill_event, keys_of


def test_a_bank_line_pays_the_bill_whose_number_and_supplier_it_names(world: World) -> None:
    bill = world.told(bill_event(world, "RE-2026/0001", 11900))
    line = world.bank_line("-119.00", "re-2026/0001 PAPER MILL LIMITED")
    world.run()
    (match,) = world.matches()
    assert (match.type, match.state, keys_of(match)) == (MatchType.BANK_INVOICE, MatchState.WRITTEN, (line, (bill,)))
    assert (match.certificate.rule, match.members[0].role) == ("bank_bill_exact_reference", "AP")
    assert world.differences() == []


@pytest.mark.parametrize(
    ("amount", "words", "reason", "lacks"),
    [
        ("-119.00", "RE-2026/0001 Stone Works Ltd", "UNPROVED", "contradiction"),
        ("-119.00", "Paper Mill Ltd", "NO_CANDIDATE", "reference"),
        ("-119.00", "RE-2026/00012 Paper Mill Ltd", "NO_CANDIDATE", "reference"),
        ("-118.00", "RE-2026/0001 Paper Mill Ltd", "AMOUNT_DIFFERS", "amount"),
        ("119.00", "RE-2026/0001 Paper Mill Ltd", "NO_CANDIDATE", ""),
    ],
)
def test_a_line_that_does_not_say_it_all_pays_no_bill(
    world: World, amount: str, words: str, reason: str, lacks: str
) -> None:
    bill = world.told(bill_event(world, "RE-2026/0001", 11900))
    line = world.bank_line(amount, words)
    world.run()
    assert world.matches() == []
    (difference,) = world.differences()
    assert (difference.subject, difference.reason, difference.nearest_lacks) == (line, reason, lacks)
    trials = explain("acme", "postings", line, world.recon.new_uow).trials
    assert not any(trial.matched for trial in trials if trial.rule == "bank_bill_exact_reference")
    assert not lacks or difference.nearest == bill


def test_two_bills_of_one_number_and_amount_are_left_to_a_person(world: World) -> None:
    for object_id, supplier in (("b1", "Paper Mill Ltd"), ("b2", "Stone Works Ltd")):
        world.told(bill_event(world, "RE-2026/0001", 11900, supplier, object_id))
    line = world.bank_line("-119.00", "RE-2026/0001 Paper Mill")
    world.run()
    assert world.matches() == []
    assert [(one.subject, one.reason) for one in world.differences()] == [(line, "AMBIGUOUS")]
