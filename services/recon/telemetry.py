"""What recon shows of itself: what waits, and the lines that nothing explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from libs.telemetry.metrics import Metrics, QueueReading, Scope, UnmatchedReading


def watch(
    metrics: Metrics,
    queues: Callable[[], Iterable[tuple[str, int, float, str, str]]],
    unmatched: Callable[[], dict[tuple[str, str], int]],
) -> None:
    """`queues` gives (queue, depth, age of the oldest in seconds, company, interface), `unmatched` the open bank lines
    by company and interface."""

    def readings() -> Iterable[QueueReading]:
        return [
            QueueReading(queue, depth, age, Scope.on(company, interface))
            for queue, depth, age, company, interface in queues()
        ]

    def lines() -> Iterable[UnmatchedReading]:
        return [
            UnmatchedReading(count, Scope.on(company, interface))
            for (company, interface), count in sorted(unmatched().items())
        ]

    metrics.watch_queues(readings)
    metrics.watch_unmatched(lines)
