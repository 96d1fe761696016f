"""Counts what happens at the edge, and keeps a few samples of what was refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from libs.errors import ConcordError
from libs.events import Clock
from libs.rpc.failures import safe_stack
from libs.telemetry.metrics import Metrics, Scope
from providers.base import Source
from providers.errors import SignatureRefused

from ..domain.delivery import Receipt

logger = logging.getLogger(__name__)

KeepRefused = Callable[[Source, ConcordError, bytes], None]


class EdgeObserver:
    """Metrics for each delivery; at most one sample a second and source, so that a flood of forgeries fills nothing."""

    def __init__(self, metrics: Metrics, keep_refused: KeepRefused, clock: Clock) -> None:
        self._metrics = metrics
        self._keep_refused = keep_refused
        self._clock = clock
        self._sampled: dict[str, object] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="samples")

    def received(self, source: Source, receipt: Receipt) -> None:
        count_received(self._metrics, source, receipt)

    def refused(self, source: Source, error: ConcordError, body: bytes) -> None:
        if isinstance(error, SignatureRefused):
            self._metrics.signature_failure(scope_of(source), error.reason)
        else:
            self._metrics.exception(scope_of(source), error.reason)
        second = self._clock().replace(microsecond=0)
        if self._sampled.get(source.interface) != second:
            self._sampled[source.interface] = second
            self._pool.submit(self._keep, source, error, body)

    def close(self) -> None:
        """Store what waits."""
        self._pool.shutdown()

    def _keep(self, source: Source, error: ConcordError, body: bytes) -> None:
        try:
            self._keep_refused(source, error, body)
        except ConcordError as failure:
            # A sample is a help, not a promise.
            logger.warning("a sample was not kept: %s\n%s", failure.reason, safe_stack(failure))


def count_received(metrics: Metrics, source: Source, receipt: Receipt) -> None:
    """Count a stored delivery, or a known one as a duplicate."""
    scope = scope_of(source)
    if receipt.duplicate:
        metrics.duplicate(scope)
    else:
        metrics.received(scope)


def scope_of(source: Source) -> Scope:
    """What a source's metrics are kept by."""
    return Scope(source.company, source.provider, source.interface)
