"""Results as JSON, for keeping, and as Markdown, for reading."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.turns import Figure, Result

HEAD = "| figure | median | min | max | goal | |\n| --- | ---: | ---: | ---: | --- | --- |"


def save(result: Result, machine: Mapping[str, Any], folder: Path) -> Path:
    """The raw result as a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.workload}.json"
    document = {"machine": machine, **asdict(result)}
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def markdown(result: Result) -> str:
    """A heading, the conditions, a row a figure, and what was checked."""
    lines = [f"## {result.workload}", "", result.what, "", _conditions(result.turns), "", HEAD]
    lines += [_row(figure) for figure in result.figures]
    lines += ["", *(f"- checked: {check}" for check in result.checks), *(f"- {note}" for note in result.notes), ""]
    return "\n".join(lines)


def missed(results: Sequence[Result]) -> list[str]:
    """The figures below their goals."""
    return [
        f"{result.workload}: {figure.name}" for result in results for figure in result.figures if figure.is_met is False
    ]


def _conditions(turns: Sequence[Mapping[str, Any]]) -> str:
    if not turns:
        return "One run."
    load = [turn["load"] for turn in turns]
    flush = statistics.median(turn["flush_ms"] for turn in turns)
    return f"{len(turns)} turns; load average {min(load):.1f} to {max(load):.1f}; a flush took {flush:.2f} ms."


def _row(figure: Figure) -> str:
    verdict = {None: "", True: "met", False: "**missed**"}[figure.is_met]
    least, most = min(figure.values), max(figure.values)
    cells = [_number(value, figure.unit) for value in (figure.median, least, most)]
    goal = figure.goal.text if figure.goal else ""
    return f"| {figure.name} | {' | '.join(cells)} | {goal} | {verdict} |"


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()
