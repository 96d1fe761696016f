"""The kinds of day, and which of them a seed plays."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from tests.simulation.checks import problems
from tests.simulation.databases import Databases
from tests.simulation.faults import NONE, STORM, Rates, only
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Kind:
    """The faults of a day. `days` of every forty are of this kind."""

    name: str
    rates: Rates
    days: int = 1


# One with every fault, one with none, and each fault alone: among all others it would seldom be the one that matters.
KINDS = (
    Kind("everything", STORM, days=26),
    Kind("nothing", NONE),
    Kind("duplicates", only("duplicate", "lose_answer")),
    Kind("late listings", replace(only("drop"), lag=0.9, drop=1.0)),
    Kind("delays", only("delay", "lose_delivery")),
    Kind("lost calls to the ledger", only("lose_request")),
    Kind("lost calls of matches", replace(only("lose_request"), lose_request=0.3)),
    Kind("crashes", only("crash")),
    Kind("crashes at the edge", replace(only("crash"), crash=0.05)),
    Kind("lost races", replace(only("conflict"), conflict=0.1)),
    Kind("lost replies of Odoo", only("odoo_lose_reply")),
    Kind("lost requests to Odoo", only("odoo_lose_request")),
    Kind("conflicts in Odoo", only("odoo_conflict")),
    Kind("outages of Odoo", only("outage", "odoo_refuse", "jump")),
    Kind("pauses", replace(only("pause"), pause=0.1)),
)
_DECK = tuple(kind for kind in KINDS for _ in range(kind.days))


def kind_of(seed: int) -> Kind:
    """Drawn from a deck of forty that is shuffled anew for every forty seeds, so that these leave no kind out."""
    deck = list(_DECK)
    random.Random(f"{seed // len(deck)} kinds").shuffle(deck)
    return deck[seed % len(deck)]


def problems_of(seed: int, databases: Databases | None = None, world_of: type[World] = World) -> list[str]:
    """Play the seed's day and say what is wrong in the end; nothing if all is well."""
    kind = kind_of(seed)
    world = world_of(seed, kind.rates, databases)
    try:
        world.run()
        unasked = [f"without faults, workers met {world.failures}"] if kind.rates == NONE and world.failures else []
        return problems(world) + unasked
    finally:
        world.close()
