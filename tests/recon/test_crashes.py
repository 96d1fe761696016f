"""The process may end at any commit: each line, match and difference comes out once all the same."""

from __future__ import annotations

from functools import cache

import pytest

from libs.access import EVERYTHING
from libs.storage.engine import copy_template
from libs.storage.verification import verify
from services.recon.storage import PROOFS
from tests.recon.day import day
from tests.recon.world import World, template

POINTS = 30  # before and after each commit of the day


def outcome(world: World) -> dict[str, object]:
    with world.recon.new_uow(read_only=True) as uow:
        totals = [
            (one.interface, one.count, one.minor_units, one.names_hash) for one in uow.trail.totals("acme", EVERYTHING)
        ]
        verification = verify(uow.connection, PROOFS)
    assert verification.faults == ()
    return {
        "events": sorted(world.ledger.events),
        "matches": sorted((one.name, one.state.value) for one in world.matches()),
        "applied": sorted(world.ledger.applied),
        "differences": sorted((one.subject, one.reason) for one in world.differences()),
        "totals": totals,
    }


@cache
def expected() -> tuple[int, dict[str, object]]:
    world = World(copy_template(template()))
    day(world)
    return world.points, outcome(world)


def test_the_day_without_a_crash() -> None:
    points, found = expected()
    assert points == POINTS, "each of them is tried below"
    assert [len(found[key]) for key in ("events", "matches", "applied")] == [7, 3, 3]  # type: ignore[arg-type]
    assert sorted(reason for _, reason in found["differences"]) == [  # type: ignore[attr-defined]
        "NO_CANDIDATE",
        "PAYMENT_WITHOUT_ORDER",
        "PAYMENT_WITHOUT_ORDER",
    ]


@pytest.mark.parametrize("crash_at", range(1, POINTS + 1))
def test_a_crash_at_any_commit_loses_and_doubles_nothing(crash_at: int) -> None:
    _, whole = expected()
    world = World(copy_template(template()))
    world.crash_at = crash_at
    day(world)
    world.run()
    assert outcome(world) == whole
