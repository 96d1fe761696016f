"""The process may end at any commit: each line, match and difference comes out once all the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from libs.access import EVERYTHING
from libs.storage.engine import copy_template
from libs.storage.verification import verify
from services.recon.storage import PROOFS
from tests.formats.camt_files import document
from tests.recon.world import Crash, World, line_entry, order_event, payout_of, template

POINTS = 28  # before and after each commit of the day
LINES = (("txn_1", 10000, 320), ("txn_2", 5000, 175))


def day(world: World) -> None:
    """A payout, its bank line, an invoice paid by transfer, a line that nothing explains."""
    told = payout_of(world, "po_1001", *LINES)
    world.told(order_event(world, "4711", 11900))
    content = document(
        line_entry("145.05", "STRIPE po_1001"), line_entry("119.00", "order 4711"), line_entry("-7.77", "what is it")
    )
    file, settlement_id = world.file(content), world.ids()
    steps: list[Callable[[], object]] = [
        lambda: world.recon.import_settlement(told, "d", settlement_id),
        lambda: world.recon.import_statement(file, [content]),
        world.run,
    ]
    while steps:
        try:
            steps[0]()
            steps.pop(0)
        except Crash:
            world.recon = world.started()
            world.pass_time(600)  # leases run out


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
