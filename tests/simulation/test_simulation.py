"""The day ends in the same books, whatever is lost, doubled, delayed, killed or paused on the way."""

from __future__ import annotations

import os

import pytest

from tests.simulation.__main__ import main
from tests.simulation.checks import journal_hash
from tests.simulation.faults import STORM
from tests.simulation.kinds import KINDS, kind_of, problems_of
from tests.simulation.mutants import DropsAnEvent
from tests.simulation.world import World

FIRST = int(os.environ.get("CONCORD_SIM_FIRST", "0"))
SEEDS = int(os.environ.get("CONCORD_SIM_SEEDS", "40"))

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS), ids=lambda seed: f"{seed}: {kind_of(seed).name}")
def test_the_day_ends_in_the_same_books_whatever_happens(seed: int) -> None:
    assert problems_of(seed) == []


def test_one_seed_played_twice_gives_one_journal() -> None:
    def played() -> str:
        world = World(1, STORM)
        world.run()
        return journal_hash(world)

    assert played() == played()


@pytest.mark.parametrize("first", [0, 40, 1_000, 123_456_789])
def test_no_kind_is_left_out_of_forty_seeds_nor_of_what_ci_plays(first: int) -> None:
    every = {kind.name for kind in KINDS}
    assert sum(kind.days for kind in KINDS) == 40
    assert {kind_of(seed).name for seed in range(first // 40 * 40, first // 40 * 40 + 40)} == every
    assert {kind_of(seed).name for seed in range(first + 13, first + 13 + 200)} == every


def test_a_day_that_fails_is_named_with_the_command_that_repeats_it(capfd: pytest.CaptureFixture[str]) -> None:
    env = {"CONCORD_SIM_FIRST": "7", "CONCORD_SIM_SEEDS": "1", "WORKERS": "2"}
    assert main(env, world_of=DropsAnEvent) == 1
    said = capfd.readouterr().out
    assert "    CONCORD_SIM_FIRST=7 CONCORD_SIM_SEEDS=1 make sim\n" in said
    assert said.splitlines()[-1].endswith("1 FAILED: [7]")


def test_more_seeds_are_played_until_the_time_is_over(capfd: pytest.CaptureFixture[str]) -> None:
    assert main({"CONCORD_SIM_SEEDS": "1", "CONCORD_SIM_MINUTES": "0.02"}) == 0
    last = capfd.readouterr().out.splitlines()[-1]
    assert last.endswith("all well")
