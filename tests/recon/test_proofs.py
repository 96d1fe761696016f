"""Recon's rows prove themselves: whatever is changed past the service is named."""

from __future__ import annotations

from services.recon.storage import PROOFS
from tests.recon.day import day
from tests.recon.world import World
from tests.storage.edits import unseen, unwitnessed
from tests.storage.fixtures import EngineFor


def lived(engine_for: EngineFor) -> World:
    """A recon with rows of every kind, all sealed."""
    world = World(engine_for("services.recon"))
    day(world)
    with world.recon.new_uow() as uow:
        uow.events.alias([("a" * 32, "b" * 32)], world.now)
        uow.commit()
    world.run()
    return world


def test_every_edit_by_sql_is_named_with_its_row(engine_for: EngineFor) -> None:
    tried, missed = unseen(lived(engine_for).engine, PROOFS)
    assert missed == []
    assert tried > 100, tried


def test_what_is_made_anew_after_an_edit_shows_against_a_witness_alone(engine_for: EngineFor) -> None:
    assert unwitnessed(lived(engine_for).engine, PROOFS) == []
