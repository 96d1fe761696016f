"""The process may end at any commit: what was answered is kept, and everything is handed on once."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from services.gateway.handlers import administer
from tests.gateway.world import GOLDEN, NOW, Crash, Down, GatewayWorld

AT = NOW - timedelta(hours=2)


def day(world: GatewayWorld) -> list[bytes]:
    """A few movements at the provider, and the webhooks that tell of them."""
    account = world.account
    charge = account.charge("ch_1", 10800, AT, fee=343, metadata={"order_number": "1001"})
    other = account.charge("ch_2", 4320, AT + timedelta(seconds=1), fee=155)
    refund = account.refund("re_1", "ch_1", 2160, AT + timedelta(seconds=2))
    dispute = account.dispute("dp_1", "ch_2", AT + timedelta(seconds=3), fee=1500)
    payout = account.payout("po_1", AT + timedelta(seconds=4), NOW, trace="T1")
    return [
        account.event("evt_1", "charge.succeeded", charge, AT),
        account.event("evt_2", "charge.succeeded", other, AT),
        account.event("evt_3", "refund.created", refund, AT),
        account.event("evt_4", "charge.dispute.funds_withdrawn", dispute, AT),
        account.event("evt_5", "payout.paid", payout, AT),
    ]


def played(world: GatewayWorld, rng: random.Random) -> dict[str, str]:
    """The day, from a sender who tries again until it is answered; whatever crashes is started anew."""
    answers: dict[str, str] = {}
    waiting = day(world) * 2
    rng.shuffle(waiting)
    for _ in range(400):
        try:
            while waiting:
                answer = world.deliver_stripe(waiting[-1])
                key = waiting.pop().decode()
                assert answers.setdefault(key, answer) == answer
            world.run()
            world.wait(61)
            world.run()
            return answers
        except Crash:
            world.gateway = world.started(rng.randrange(10**6))
            world.wait(130)
    raise AssertionError("the day does not end")


EXPECTED = {"evt_1", "evt_2", "evt_3", "evt_5", "txn_ch_1", "txn_ch_2", "txn_re_1", "txn_dp_1", "txn_po_1"}


@pytest.mark.parametrize("crash_at", range(1, 60))
def test_a_crash_at_any_commit_loses_and_doubles_nothing(crash_at: int) -> None:
    world = GatewayWorld()
    world.crash_at = world.points + crash_at
    answers = played(world, random.Random(crash_at))
    assert world.points > world.crash_at, "the crash was never reached"
    assert {name.rpartition("/")[2] for name in world.ledger.events} == EXPECTED
    assert len({one[0].payout_id for one in world.recon.settlements}) == 1
    totals = administer.list_totals("demo", new_uow=world.uow)
    assert sum(total.event_count for total in totals) == len(EXPECTED)
    for answer in answers.values():
        resolved, steps = administer.list_steps(answer, new_uow=world.uow)
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
    assert set(world.states()) <= {"FORWARDED", "IGNORED"}
    totals = administer.list_totals("demo", new_uow=world.uow)
    assert sum(total.event_count for total in totals) == len(EXPECTED)


def test_one_seed_run_twice_gives_one_database() -> None:
    def dump(seed: int) -> list[tuple[object, ...]]:
        world = GatewayWorld(seed=seed)
        world.crash_at = world.points + 17
        played(world, random.Random(seed))
        tables = ("delivery", "event", "transaction_alias", "payout", "source_cursor", "audit_entry", "total")
        return [row for table in tables for row in world.rows(f"SELECT * FROM {table} ORDER BY 1")]

    assert dump(3) == dump(3)


def test_golden_webhooks_all_come_to_an_end() -> None:
    world = GatewayWorld(poll=False)
    for path in sorted((GOLDEN / "stripe").glob("*.json")):
        if not path.name.endswith(".events.json") and not path.name.startswith("balance_transactions"):
            world.deliver_stripe(path.read_bytes())
    world.run()
    assert set(world.states()) == {"FORWARDED", "IGNORED"}
