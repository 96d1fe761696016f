"""Measuring in turns: the limit and the suite take turns, so that a ratio compares neighbours in time.

Other work on a shared machine moves every rate; it moves both sides of a turn alike. A figure is the median of the
turns, with the least and the greatest beside it. A turn before the first one warms up and is not counted.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Measured = dict[str, float]
Step = Callable[[int], Measured]  # takes the number of the turn; 0 is the warm-up
FLUSHES = 15
FLUSHED_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Goal:
    """What PERFORMANCE asks of the median."""

    text: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a workload, a value for each turn."""

    name: str
    unit: str
    values: Sequence[float]
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool | None:
        """None where there is no goal."""
        return self.goal.is_met(self.median) if self.goal else None


@dataclass
class Result:
    """What a workload measured, and what it proved to be right."""

    workload: str
    what: str  # the work, in a sentence
    figures: list[Figure] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)  # each was asserted
    notes: list[str] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)  # raw

    def ratio(
        self, name: str, over: str, under: str, measure: str = "per_second", goal: Goal | None = None
    ) -> Figure:  # fmt: skip
        """Add `over` ÷ `under`, turn by turn."""
        values = [turn[over][measure] / turn[under][measure] for turn in self.turns]
        return self.add(Figure(name, "×", values, goal))

    def each(self, name: str, unit: str, step: str, measure: str, goal: Goal | None = None) -> Figure:
        """Add a measure of one step."""
        return self.add(Figure(name, unit, [turn[step][measure] for turn in self.turns], goal))

    def add(self, figure: Figure) -> Figure:
        self.figures.append(figure)
        return figure


def take_turns(turns: int, steps: Mapping[str, Step], folder: Path | None = None) -> list[dict[str, Any]]:
    """Run every step in every turn, every other turn in the opposite order; the counted turns' measures by step.

    Each turn also tells the load average and what a flush of the disk that bears `folder` takes.
    """
    taken: list[dict[str, Any]] = []
    for number in range(turns + 1):
        turn: dict[str, Any] = {"load": os.getloadavg()[0], "flush_ms": flush_ms(folder)}
        order = list(steps)
        for name in order if number % 2 else reversed(order):
            turn[name] = steps[name](number)
        if number:
            taken.append(turn)
    return taken


def flush_ms(folder: Path | None = None) -> float:
    """What one durable append takes, in milliseconds: the median of a few."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        times = []
        for _ in range(FLUSHES):
            began = time.perf_counter()
            os.write(file.fileno(), b"\0" * FLUSHED_BYTES)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Stopwatch:
    """Wall and CPU seconds of this process between `with` and its end."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def __enter__(self) -> Stopwatch:
        self._cpu, self._began = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._began
        self.cpu_seconds = time.process_time() - self._cpu
