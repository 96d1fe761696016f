"""What recon shows of itself: the bank lines that nothing explains."""

from __future__ import annotations

from collections.abc import Callable

from libs.telemetry.metrics import Metrics, Scope, UnmatchedReading


def watch_unmatched(metrics: Metrics, unmatched: Callable[[], dict[tuple[str, str], int]]) -> None:
    """`unmatched` gives the number of open bank lines by company and interface."""

    def lines() -> list[UnmatchedReading]:
        return [
            UnmatchedReading(count, Scope.on(company, interface))
            for (company, interface), count in sorted(unmatched().items())
        ]

    metrics.watch_unmatched(lines)
