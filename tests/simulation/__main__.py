"""Plays many days, on SQLite or (`--postgres`) on the PostgreSQL that CONCORD_TEST_POSTGRES_URL names.

    CONCORD_SIM_FIRST    the first seed (0)
    CONCORD_SIM_SEEDS    how many seeds at least (40)
    CONCORD_SIM_MINUTES  goes on with further seeds until so much time has passed (0)
    WORKERS              processes (2)

A day that fails is printed with the command that repeats it, and the exit status is 1.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.simulation.databases import Postgres
from tests.simulation.kinds import kind_of, problems_of
from tests.simulation.world import World
from tests.storage.fixtures import POSTGRES


@dataclass(frozen=True, slots=True)
class Lane:
    """Every so many seeds from `first` on: at least `days` of them, and more until `ends_at` of the monotonic clock."""

    first: int
    every: int
    days: int
    ends_at: float
    postgres_url: str = ""
    world_of: type[World] = World

    def play(self) -> list[tuple[int, bool]]:
        """The seeds that were played, each with whether all was well. Prints what was not."""
        databases = Postgres(self.postgres_url) if self.postgres_url else None
        played: list[tuple[int, bool]] = []
        try:
            while len(played) < self.days or time.monotonic() < self.ends_at:
                seed = self.first + len(played) * self.every
                try:
                    wrong = problems_of(seed, databases, self.world_of)
                except Exception:  # noqa: BLE001 - whatever breaks a day is its result
                    wrong = [traceback.format_exc()]
                if wrong:
                    target = "sim-postgres" if self.postgres_url else "sim"
                    print(f"\nseed {seed} ({kind_of(seed).name}) fails; to repeat it:")
                    print(f"    CONCORD_SIM_FIRST={seed} CONCORD_SIM_SEEDS=1 make {target}")
                    print("\n".join(wrong), flush=True)
                played.append((seed, not wrong))
        finally:
            if databases:
                databases.drop()
        return played


def main(env: Mapping[str, str], *, postgres: bool = False, world_of: type[World] = World) -> int:
    """Exit status: 1 if any day failed."""
    first, seeds = int(env.get("CONCORD_SIM_FIRST", "0")), int(env.get("CONCORD_SIM_SEEDS", "40"))
    minutes, workers = float(env.get("CONCORD_SIM_MINUTES", "0")), int(env.get("WORKERS", "2"))
    workers = min(workers, seeds)
    print(f"simulation from seed {first}: at least {seeds} days, {minutes:g} minutes", flush=True)
    began = time.monotonic()
    url = env[POSTGRES] if postgres else ""
    lanes = [
        Lane(first + lane, workers, -(-(seeds - lane) // workers), began + 60 * minutes, url, world_of)
        for lane in range(workers)
    ]
    if workers == 1:
        played = lanes[0].play()
    else:
        with ProcessPoolExecutor(workers) as pool:
            played = [day for days in pool.map(Lane.play, lanes) for day in days]
    kinds = Counter(kind_of(seed).name for seed, _ in played)
    failed = sorted(seed for seed, well in played if not well)
    print("; ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    verdict = f"{len(failed)} FAILED: {failed}" if failed else "all well"
    print(f"simulation: {len(played)} days from seed {first} in {time.monotonic() - began:.0f} s, {verdict}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(os.environ, postgres="--postgres" in sys.argv[1:]))
