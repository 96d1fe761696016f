"""The day ends in the same books, whatever is lost, doubled, delayed, killed or paused on the way."""

from __future__ import annotations

import os

import pytest

from tests.simulation.checks import journal_hash, problems
from tests.simulation.faults import NONE, STORM, Rates
from tests.simulation.world import World

SEEDS = int(os.environ.get("CONCORD_SIM_SEEDS", "100"))

pytestmark = pytest.mark.simulation


def played(seed: int, rates: Rates) -> World:
    world = World(seed, rates)
    world.run()
    return world


def verdict(seed: int, rates: Rates) -> list[str]:
    world = played(seed, rates)
    found = problems(world)
    world.close()
    return found


@pytest.mark.parametrize("seed", range(2))
def test_a_day_without_faults_ends_in_the_expected_books(seed: int) -> None:
    world = played(seed, NONE)
    assert problems(world) == []
    assert world.failures == []


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_day_ends_in_the_same_books_whatever_happens(seed: int) -> None:
    assert verdict(seed, STORM) == []


def test_one_seed_played_twice_gives_one_journal() -> None:
    assert journal_hash(played(1, STORM)) == journal_hash(played(1, STORM))
