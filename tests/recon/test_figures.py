"""What recon tells of itself: what it tries again, and what waits."""

from __future__ import annotations

import pytest

from services.recon.domain.match import MatchState
from tests.recon.world import BANK_ACCOUNT, Down, World, order_event


def test_what_waits_is_measured_by_company_and_interface_and_a_match_by_company(world: World) -> None:
    assert waiting(world) == {("record", "", ""): (0, 0.0), ("apply", "", ""): (0, 0.0)}
    world.told(order_event(world, "4711", 11900))
    world.bank_line("119.00", "order 4711")
    world.run("watch", "match")
    world.ledger.fail_before = [Down("no")]
    with pytest.raises(Down):
        world.bank_line("12.34", "nobody")
    world.pass_time(30)
    assert waiting(world).keys() == {("record", "acme", f"bank/{BANK_ACCOUNT}"), ("apply", "acme", "")}
    assert waiting(world)["apply", "acme", ""] == (1, 30.0)
    world.ledger.fail_before = [Down("no")]
    with pytest.raises(Down):
        world.run("record")
    assert waiting(world)["record", "acme", f"bank/{BANK_ACCOUNT}"] == (1, 30.0)  # though it is due later


def waiting(world: World) -> dict[tuple[str, str, str], tuple[int, float]]:
    with world.recon.new_uow(read_only=True) as uow:
        lengths = uow.trail.queues(world.now)
    return {(one.queue, one.company, one.interface): (one.depth, one.oldest_seconds) for one in lengths}


def test_what_is_tried_again_is_counted_by_company_and_interface_and_a_match_by_company(world: World) -> None:
    world.told(order_event(world, "4711", 11900))
    world.ledger.fail_before = [Down("no")]
    with pytest.raises(Down):
        world.bank_line("119.00", "order 4711")
    assert world.retried == [("acme", f"bank/{BANK_ACCOUNT}", "SERVICE_UNAVAILABLE")]
    world.pass_time(3600)
    world.run("record", "watch", "match")
    world.ledger.fail_before = [Down("no")]
    with pytest.raises(Down):
        world.run("apply")
    assert world.retried[1:] == [("acme", "", "SERVICE_UNAVAILABLE")]
    world.pass_time(3600)
    world.run()
    assert [one.state for one in world.matches()] == [MatchState.WRITTEN]
    assert len(world.retried) == 2
