"""Spans leave by a thread of their own, from a bounded queue that counts what it loses."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from types import TracebackType

from opentelemetry import context as context_api
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from libs.telemetry.config import CAPACITY, DELAY_SECONDS

logger = logging.getLogger(__name__)

BATCH = 512

# The exporters' own calls must not be traced by any instrumentation.
_SUPPRESS = "suppress_instrumentation"


class CountedBatchProcessor(SpanProcessor):
    """The SDK's batch processor, but for this: whatever does not arrive, for whatever reason, is counted.

    A full queue drops the newest span, a failed export its batch. Nothing here ever blocks the caller.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        *,
        on_lost: Callable[[int], None] = lambda count: None,
        capacity: int = CAPACITY,
        delay_seconds: float = DELAY_SECONDS,
    ) -> None:
        self.lost = 0
        self._exporter = exporter
        self._on_lost = on_lost
        self._capacity = capacity
        self._delay_seconds = delay_seconds
        self._queue: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._closed = False
        self._exporting = threading.Lock()
        self._counting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="span-export", daemon=True)
        self._thread.start()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing: a span is of interest when it has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._closed or len(self._queue) >= self._capacity:
            self._lose(1)
            return
        self._queue.append(span)
        if len(self._queue) >= BATCH:
            self._wake.set()

    def waiting(self) -> int:
        """The number of spans in the queue."""
        return len(self._queue)

    def force_flush(self, timeout_millis: int | None = 30_000) -> bool:
        """Export what waits, now, in the caller's thread; false if the exporter is busy for longer than the timeout."""
        if not self._exporting.acquire(timeout=(timeout_millis or 30_000) / 1000):
            return False
        try:
            self._export_all()
        finally:
            self._exporting.release()
        return True

    def shutdown(self, timeout_seconds: float = 2.0) -> None:
        """Export what waits, for so long at most; what is left then is lost and counted."""
        if self._closed:
            return
        self._closed = True
        self._wake.set()
        self._thread.join(timeout_seconds)
        self._exporter.shutdown()  # ends a retry that is under way
        self._thread.join(1.0)
        left = len(self._queue)
        self._queue.clear()
        self._lose(left)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(self._delay_seconds)
            self._wake.clear()
            with self._exporting:
                self._export_all()
        with self._exporting:
            self._export_all()

    def _export_all(self) -> None:
        token = context_api.attach(context_api.set_value(_SUPPRESS, True))
        try:
            for _ in range(self._capacity // BATCH + 1):  # bounded: spans keep coming
                count = min(BATCH, len(self._queue))
                if count == 0:
                    return
                batch = [self._queue.popleft() for _ in range(count)]
                with _Unbroken(partial(self._lose, count)):
                    if self._exporter.export(batch) is not SpanExportResult.SUCCESS:
                        self._lose(count)
        finally:
            context_api.detach(token)

    def _lose(self, count: int) -> None:
        if count == 0:
            return
        with self._counting:
            first = self.lost == 0
            self.lost += count
        self._on_lost(count)
        if first:
            logger.warning("spans are being lost; the metric concord.telemetry.spans.lost counts them")


class _Unbroken:
    """An exporter that raises, as gRPC's does when it is closed under a call, costs its batch and not the thread."""

    def __init__(self, on_broken: Callable[[], None]) -> None:
        self._on_broken = on_broken

    def __enter__(self) -> None:
        """Nothing: what matters is how it ends."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        logger.error("the span exporter failed: %s", type(error).__name__)
        self._on_broken()
        return True
