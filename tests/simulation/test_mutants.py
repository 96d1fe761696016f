"""A suite with the mistake built in that a kind of day is there for is found out."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.simulation import mutants
from tests.simulation.checks import problems
from tests.simulation.kinds import KINDS
from tests.simulation.world import World

SEEDS = 12

pytestmark = pytest.mark.simulation


@dataclass(frozen=True, slots=True)
class Mistake:
    """One that this kind of day brings to light, and a word of how that shows."""

    kind: str
    mutant: type[World]
    shows: str


MISTAKES = [
    Mistake("nothing", mutants.DropsAnEvent, "handed on"),
    Mistake("duplicates", mutants.KnowsDeliveriesOnly, "the books say"),
    Mistake("late listings", mutants.PollsWithoutOverlap, "the books say"),
    Mistake("delays", mutants.WakesNobody, "unfinished"),
    Mistake("lost calls to the ledger", mutants.BelievesLostCalls, "events on one side alone"),
    Mistake("lost calls of matches", mutants.BelievesLostMatches, "open items"),
    Mistake("crashes", mutants.KeepsEventsInMemory, "events on one side alone"),
    Mistake("crashes at the edge", mutants.AnswersBeforeItStores, "the books say"),
    Mistake("lost races", mutants.KeepsItsPlaceInMemory, "differences"),
    Mistake("lost replies of Odoo", mutants.RetriesBlindly, "documents in Odoo"),
    Mistake("lost requests to Odoo", mutants.LoadsLinesWithoutIds, "exceptions"),
    Mistake("conflicts in Odoo", mutants.TakesConflictsForRefusals, "exceptions"),
    Mistake("outages of Odoo", mutants.GivesUpSoon, "unfinished"),
    Mistake("pauses", mutants.IgnoresLeases, "the ledger says"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.kind)
def test_the_mistake_is_found_out(mistake: Mistake) -> None:
    assert any(mistake.shows in problem for seed in range(SEEDS) for problem in found_in(mistake, seed))


def test_every_kind_of_day_but_the_one_of_all_faults_has_its_mistake() -> None:
    assert [mistake.kind for mistake in MISTAKES] == [kind.name for kind in KINDS][1:]


def found_in(mistake: Mistake, seed: int) -> list[str]:
    """What is wrong in the end, or what broke on the way there."""
    (rates,) = [kind.rates for kind in KINDS if kind.name == mistake.kind]
    world = mistake.mutant(seed, rates)
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - a mutant may break in any way
        return [repr(error)]
    return problems(world)
