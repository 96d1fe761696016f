"""Sets up a service's telemetry. Without an endpoint nothing is recorded, yet trace context is still passed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from libs.rpc.interception import WrappingInterceptor
from libs.telemetry.config import TelemetryConfig
from libs.telemetry.metrics import Metrics
from libs.telemetry.rpc import TelemetryClientInterceptor, TelemetryServerInterceptor
from libs.telemetry.trace import Tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace.export import SpanExporter

    from libs.telemetry.recording import Recording


class Telemetry:
    """One service's tracer, metrics and interceptors. Close it with `shutdown`, or what waits is lost."""

    def __init__(self, technical_share: float, recording: Recording | None = None) -> None:
        self.tracer = Tracer(recording.spans if recording else None, technical_share)
        self.metrics = recording.metrics if recording else Metrics()
        self._recording = recording

    def server_interceptors(self) -> tuple[WrappingInterceptor, ...]:
        """For `libs.rpc.server.serve`."""
        return (TelemetryServerInterceptor(self.tracer, self.metrics),)

    def client_interceptors(self) -> tuple[Any, ...]:
        """For `libs.rpc.channel.open_channel`; none where nothing is recorded: the headers go along without."""
        return (TelemetryClientInterceptor(self.tracer),) if self.tracer.records else ()

    @property
    def metrics_port(self) -> int | None:
        """The port of the Prometheus endpoint, if one was asked for."""
        return self._recording.scrape.port if self._recording and self._recording.scrape else None

    @property
    def spans_lost(self) -> int:
        """Recorded spans that never arrived."""
        return self._recording.processor.lost if self._recording and self._recording.processor else 0

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Export all spans that have ended; false if that took too long."""
        if self._recording is None or self._recording.processor is None:
            return True
        return self._recording.processor.force_flush(round(timeout_seconds * 1000))

    def shutdown(self) -> None:
        """Export what waits, within seconds, and stop."""
        if self._recording is not None:
            self._recording.close()


def configure(
    config: TelemetryConfig,
    *,
    span_exporter: SpanExporter | None = None,
    metric_readers: Sequence[MetricReader] = (),
) -> Telemetry:
    """Build a service's telemetry; nothing global is touched, so several may live in one process.

    `span_exporter` and `metric_readers` take the place of, or come on top of, what the config names: for tests.
    """
    if not (config.otlp_endpoint or config.metrics_listen or span_exporter or metric_readers):
        return Telemetry(config.technical_share)
    # Late: the SDK and the exporters are a fifth of a start, of which a service without a collector needs nothing.
    from libs.telemetry.recording import record

    return Telemetry(config.technical_share, record(config, span_exporter, metric_readers))
