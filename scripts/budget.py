"""What a step of CI may cost in CPU seconds, on whatever machine it runs: `.ci/budget.tsv` says it, this holds it.

    scripts/budget.py calibrate            how slow this machine is beside the file's: 1.25 takes a quarter longer
    scripts/budget.py run STEP COMMAND...  run a step; beyond its budget it warns, beyond twice it fails with status 3
    scripts/budget.py summary              what each step of this run has cost

CONCORD_CI_SCALE is what `calibrate` printed, CONCORD_CI_SPENT a file in which `run` notes what it measured. A step's
children count as far as somebody waited for them; the PostgreSQL server is no child of a step and does not count.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

BUDGET = Path(__file__).resolve().parents[1] / ".ci" / "budget.tsv"
BEYOND_TWICE, NO_BUDGET = 3, 2
ROUNDS = 7


@dataclass(frozen=True)
class Budget:
    """CPU seconds of each step on the machine where a round of calibration took `calibration` of them."""

    calibration: float
    steps: dict[str, float]
    timed: frozenset[str]  # steps that run for a time, whatever the machine

    @classmethod
    def read(cls, path: Path) -> Budget:
        """A row is `step TAB seconds`, then `timed` where the machine's speed changes nothing; `#` begins a comment."""
        rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
        seconds = {row[0]: float(row[1]) for row in rows}
        return cls(seconds.pop("calibration"), seconds, frozenset(row[0] for row in rows if row[2:] == ["timed"]))

    def of(self, step: str, scale: float) -> float:
        return self.steps[step] * (1.0 if step in self.timed else scale)


def calibrate() -> float:
    """CPU seconds of a fixed piece of work, the least of some rounds: the others were disturbed."""
    return min(_round() for _ in range(ROUNDS))


def _round() -> float:
    """Much as our tests spend their time: small objects, text, and SQLite in memory."""
    began = time.process_time()
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE event (name TEXT PRIMARY KEY, body TEXT, units INTEGER)")
    for start in range(0, 20_000, 1_000):
        events = [{"name": f"events/{number}", "units": number * 37 % 1_009} for number in range(start, start + 1_000)]
        database.executemany(
            "INSERT INTO event VALUES (?, ?, ?)",
            [(event["name"], json.dumps(event), event["units"]) for event in events],
        )
    sums: dict[int, int] = {}
    for body, units in database.execute("SELECT body, units FROM event ORDER BY units, name"):
        sums[units] = sums.get(units, 0) + len(json.loads(body)["name"])
    assert sum(sums.values()) == 228_890, "the work is always the same"
    database.close()
    return time.process_time() - began


def run(step: str, command: list[str], budget: Budget, scale: float, spent: str) -> int:
    """The command's status, or 3 if it succeeded at more than twice its price."""
    if step not in budget.steps:
        print(f"==== {step}: no budget in {BUDGET.name}")
        return NO_BUDGET
    began = time.monotonic()
    status = subprocess.run(command, check=False).returncode
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, may = usage.ru_utime + usage.ru_stime, budget.of(step, scale)
    verdict = "passed" if status == 0 else "FAILED"
    note = "" if cpu <= may else "WARNING: beyond its budget"
    if cpu > 2 * may:
        verdict, status, note = "FAILED", status or BEYOND_TWICE, "beyond TWICE its budget"
    line = f"{verdict} in {time.monotonic() - began:.0f} s, {cpu:.0f} of {may:.0f} CPU seconds {note}".rstrip()
    print(f"==== {step}: {line}", flush=True)
    if spent:
        with open(spent, "a") as file:
            file.write(f"{step}\t{cpu:.0f}\t{line}\n")
    return status


def summary(budget: Budget, scale: float, spent: str) -> str:
    """A line a step, and the sum of all."""
    rows = [line.split("\t") for line in Path(spent).read_text().splitlines()]
    lines = [f"{step}: {line}" for step, _, line in rows]
    cpu, may = sum(int(row[1]) for row in rows), sum(budget.of(row[0], scale) for row in rows)
    machine = f"scale {scale:.2f}, calibration {scale * budget.calibration:.3f}"
    return "\n".join([*lines, f"in all {cpu / 60:.0f} of {may / 60:.0f} CPU minutes ({machine})"])


def main(arguments: list[str], path: Path = BUDGET) -> int:
    budget = Budget.read(path)
    scale, spent = float(os.environ.get("CONCORD_CI_SCALE", "1")), os.environ.get("CONCORD_CI_SPENT", "")
    if arguments == ["calibrate"]:
        print(f"{calibrate() / budget.calibration:.2f}")
        return 0
    if arguments == ["summary"]:
        print(summary(budget, scale, spent))
        return 0
    if arguments[:1] == ["run"] and len(arguments) > 2:
        return run(arguments[1], arguments[2:], budget, scale, spent)
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
