"""Telemetry with its spans kept in memory, and transaction ids whose traces are in or out of the tenth."""

from __future__ import annotations

from urllib.request import urlopen

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.telemetry.config import TelemetryConfig
from libs.telemetry.context import format_traceparent, technical_decision
from libs.telemetry.setup import Telemetry, configure

# UUIDv7s: version 7, variant bits 10; the low 56 bits decide.
SAMPLED = "0190a3c07b1e70008000" + "000000000001"
UNSAMPLED = "0190a3c07b1e7000bfff" + "ffffffffffff"


def root_traceparent(transaction_id: str, technical_share: float = 0.1) -> str:
    """The traceparent of a transaction's root span, known from its id alone."""
    trace_id = int(transaction_id, 16)
    return format_traceparent(trace_id, trace_id & (2**64 - 1), technical_decision(trace_id, technical_share))


def scraped(telemetry: Telemetry) -> str:
    """What its Prometheus endpoint answers."""
    with urlopen(f"http://127.0.0.1:{telemetry.metrics_port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


class Recorder:
    """A `Telemetry` whose spans and metrics can be read."""

    def __init__(self, technical_share: float = 0.1) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        config = TelemetryConfig("tests", technical_share=technical_share)
        self.telemetry: Telemetry = configure(config, span_exporter=self._exporter, metric_readers=[self._reader])
        self.tracer = self.telemetry.tracer

    def spans(self) -> list[ReadableSpan]:
        """All spans that have ended, in the order of their end."""
        assert self.telemetry.flush()
        return list(self._exporter.get_finished_spans())

    def names(self, trace_id: str | None = None) -> list[str]:
        return [span.name for span in self.spans() if trace_id is None or trace_of(span) == trace_id]

    def points(self, metric_name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """A metric's points: sorted attributes to value (of a histogram: the number of records)."""
        data = self._reader.get_metrics_data()
        found: dict[tuple[tuple[str, str], ...], float] = {}
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == metric_name:
                        for point in metric.data.data_points:
                            key = tuple(sorted((str(k), str(v)) for k, v in (point.attributes or {}).items()))
                            found[key] = float(getattr(point, "value", 0) or getattr(point, "count", 0) or 0)
        return found

    def close(self) -> None:
        self.telemetry.shutdown()


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def parent_of(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent is not None else ""


def links_of(span: ReadableSpan) -> list[str]:
    return [f"{link.context.trace_id:032x}" for link in span.links]
