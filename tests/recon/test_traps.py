"""No line is matched wrongly: a year of traps, and the bank files that others handed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.recon.handlers.explain import explain
from tests.recon.traps import play
from tests.recon.traps import world as world_of_traps
from tests.recon.world import World, money_event, order_event

LINES = 3_000
ROOT = Path(__file__).resolve().parents[2]
CASES = Path(os.environ.get("CONCORD_CASES") or ROOT.parent / "shared" / "cases") / "bank" / "matching"


def test_no_line_is_matched_wrongly_and_those_that_name_their_target_are_matched() -> None:
    played = play(world_of_traps(LINES), every=4)
    assert [(line.kind, line.item.words) for line in played.wrong] == []
    assert played.recall >= 0.93
    assert played.proposed >= 0.99


@pytest.mark.parametrize("name", ["batch_three_invoices.xml"])
def test_a_batch_that_names_several_invoices_is_given_to_none_of_them(world: World, name: str) -> None:
    path = CASES / name
    if not path.exists():
        pytest.skip(f"{path.name}: CONCORD_CASES has no such file")
    for number, total in (("1729", 123457), ("1730", 345671), ("1731", 234569), ("1799", 703697)):
        world.told(order_event(world, number, total))
    world.statement(path.read_bytes())
    world.run()
    assert world.matches() == []
    (line,) = [one for one in world.differences() if one.subject.startswith("acme_bank")]
    trials = explain("acme", "postings", line.subject, world.recon.new_uow).trials
    assert any(one.name == "contradiction" and "INV202601730" in one.left for each in trials for one in each.predicates)


def test_a_customers_transfer_of_a_payouts_amount_is_not_the_payout(world: World) -> None:
    world.told(money_event(world, "txn_1", -9680, kind="payout", source="po_1001"))
    line = world.bank_line("96.80", "invoice 2025-118, Archer")
    world.run()
    assert world.matches() == []
    (found,) = [one for one in world.differences() if one.subject == line]
    assert (found.reason, found.nearest_lacks) == ("UNPROVED", "evidence")
