"""Each fault by itself changes nothing; and a suite with the fault's own mistake built in is found out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tests.simulation import mutants
from tests.simulation.checks import problems
from tests.simulation.faults import NONE, Rates, only
from tests.simulation.world import World

SEEDS = 2
SEEDS_OF_MUTANTS = 12

pytestmark = pytest.mark.simulation


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, the mistake that only it brings to light, and a word of how that shows."""

    name: str
    rates: Rates
    mutant: type[World]
    shows: str


CASES = [
    Case("nothing", NONE, mutants.DropsAnEvent, "handed on"),
    Case("duplicates", only("duplicate", "lose_answer"), mutants.KnowsDeliveriesOnly, "the books say"),
    Case("late listings", replace(only("drop"), lag=0.9, drop=1.0), mutants.PollsWithoutOverlap, "the books say"),
    Case("delays", only("delay", "lose_delivery"), mutants.WakesNobody, "unfinished"),
    Case("lost calls to the ledger", only("lose_request"), mutants.BelievesLostCalls, "events on one side alone"),
    Case(
        "lost calls of matches",
        replace(only("lose_request"), lose_request=0.3),
        mutants.BelievesLostMatches,
        "open items",
    ),
    Case("crashes", only("crash"), mutants.KeepsEventsInMemory, "events on one side alone"),
    Case("crashes at the edge", replace(only("crash"), crash=0.05), mutants.AnswersBeforeItStores, "the books say"),
    Case("lost races", replace(only("conflict"), conflict=0.1), mutants.KeepsItsPlaceInMemory, "differences"),
    Case("lost replies of Odoo", only("odoo_lose_reply"), mutants.RetriesBlindly, "documents in Odoo"),
    Case("lost requests to Odoo", only("odoo_lose_request"), mutants.LoadsLinesWithoutIds, "exceptions"),
    Case("conflicts in Odoo", only("odoo_conflict"), mutants.TakesConflictsForRefusals, "exceptions"),
    Case("outages of Odoo", only("outage", "odoo_refuse", "jump"), mutants.GivesUpSoon, "unfinished"),
    Case("pauses", replace(only("pause"), pause=0.1), mutants.IgnoresLeases, "the ledger says"),
]


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_by_itself_changes_nothing(case: Case, seed: int) -> None:
    world = World(seed, case.rates)
    world.run()
    assert problems(world) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_mistake_is_found_out(case: Case) -> None:
    assert any(case.shows in problem for seed in range(SEEDS_OF_MUTANTS) for problem in found_in(case, seed))


def found_in(case: Case, seed: int) -> list[str]:
    """What is wrong in the end, or what broke on the way there."""
    world = case.mutant(seed, case.rates)
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - a mutant may break in any way
        return [repr(error)]
    return problems(world)
