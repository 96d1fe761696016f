"""The process may end at any commit: what was answered is kept, and everything is handed on once."""

from __future__ import annotations

import random

import pytest

from tests.gateway.day import EXPECTED, played
from tests.gateway.world import GOLDEN, Down, GatewayWorld


@pytest.mark.parametrize("crash_at", range(1, 60))
def test_a_crash_at_any_commit_loses_and_doubles_nothing(crash_at: int) -> None:
    world = GatewayWorld()
    world.crash_at = world.points + crash_at
    answers = played(world, random.Random(crash_at))
    assert world.points > world.crash_at, "the crash was never reached"
    assert {name.rpartition("/")[2] for name in world.ledger.events} == EXPECTED
    assert len({one[0].payout_id for one in world.recon.settlements}) == 1
    totals = world.totals()
    assert sum(total.count for total in totals) == len(EXPECTED)
    for answer in answers.values():
        resolved, steps = world.steps(answer)
        assert steps[0].step == "received"
        assert resolved in {event.transaction_id for event in world.ledger.events.values()}


@pytest.mark.parametrize("seed", range(20))
def test_the_same_is_handed_on_whatever_fails_on_the_way(seed: int) -> None:
    rng = random.Random(seed)
    world = GatewayWorld(seed=seed)
    world.crash_at = world.points + rng.randrange(1, 60)
    for failures in (world.ledger.fail_before, world.ledger.fail_after, world.recon.failures):
        failures.extend([Down("away")] * rng.randrange(3))
    played(world, rng)
    for _ in range(6):
        world.wait(120)
        world.run()
    assert {name.rpartition("/")[2] for name in world.ledger.events} == EXPECTED
    assert set(world.states()) <= {"forwarded", "ignored"}
    totals = world.totals()
    assert sum(total.count for total in totals) == len(EXPECTED)


def test_one_seed_run_twice_gives_one_database() -> None:
    def dump(seed: int) -> list[tuple[object, ...]]:
        world = GatewayWorld(seed=seed)
        world.crash_at = world.points + 17
        played(world, random.Random(seed))
        tables = ("delivery", "event", "transaction_alias", "payout", "source_cursor", "audit_entry", "total")
        return [row for table in tables for row in world.stored(table)]

    assert dump(3) == dump(3)


def test_golden_webhooks_all_come_to_an_end() -> None:
    world = GatewayWorld(poll=False)
    for path in sorted((GOLDEN / "stripe").glob("*.json")):
        if not path.name.endswith(".events.json") and not path.name.startswith("balance_transactions"):
            world.deliver_stripe(path.read_bytes())
    world.run()
    assert set(world.states()) == {"forwarded", "ignored"}
