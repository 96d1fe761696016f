"""Recon's rows prove themselves: whatever is changed past the service is named."""

from __future__ import annotations

from services.recon.storage import PROOFS
from tests.recon.day import day
from tests.recon.world import World
from tests.storage.edits import unseen
from tests.storage.fixtures import EngineFor


def test_every_edit_by_sql_is_named_with_its_row(engine_for: EngineFor) -> None:
    world = World(engine_for("services.recon"))
    day(world)
    with world.recon.new_uow() as uow:
        uow.events.alias([("a" * 32, "b" * 32)], world.now)
        uow.commit()
    world.run()
    tried, missed = unseen(world.engine, PROOFS)
    assert missed == []
    assert tried > 100, tried
