"""The same seeds on PostgreSQL. Its row ids and lock waits are its own, so no run is promised to repeat itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.simulation.checks import problems
from tests.simulation.databases import Postgres
from tests.simulation.faults import STORM
from tests.simulation.world import World
from tests.storage.fixtures import POSTGRES

SEEDS = int(os.environ.get("CONCORD_SIM_SEEDS", "50"))

pytestmark = [pytest.mark.simulation, pytest.mark.postgres]


@pytest.fixture(scope="module")
def databases() -> Iterator[Postgres]:
    url = os.environ.get(POSTGRES)
    if not url:
        pytest.skip(f"no PostgreSQL: {POSTGRES} is not set")
    made = Postgres(url)
    yield made
    made.drop()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_day_ends_in_the_same_books_on_postgresql(seed: int, databases: Postgres) -> None:
    world = World(seed, STORM, databases)
    try:
        world.run()
        assert problems(world) == []
    finally:
        world.close()
