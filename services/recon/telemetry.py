"""What recon shows of itself: what waits, and the lines that nothing explains."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from libs.telemetry.metrics import Metrics, QueueReading, Scope, UnmatchedReading


class CountedWork:
    """A `libs.service.work.WorkObserver` that counts what workers meet."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def retried(self, company: str, interface: str, reason: str) -> None:
        self._metrics.retry(Scope.on(company, interface), reason)

    def set_aside(self, company: str, interface: str, reason: str) -> None:
        self._metrics.exception(Scope.on(company, interface), reason)


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
