"""What records: the SDK, its exporters and the scraped endpoint, each only where the configuration asks for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.trace import Tracer as SpanTracer

from libs.telemetry.config import HTTP, TelemetryConfig, TelemetryConfigInvalid
from libs.telemetry.export import CountedBatchProcessor
from libs.telemetry.metrics import Metrics
from libs.telemetry.sampling import ConcordSampler, TransactionIdGenerator
from libs.telemetry.scrape import Scrape

EXPORT_TIMEOUT_SECONDS = 10.0


@dataclass(slots=True)
class Recording:
    """What was set up; what was not asked for is None."""

    metrics: Metrics
    spans: SpanTracer | None = None
    processor: CountedBatchProcessor | None = None
    scrape: Scrape | None = None
    meters: MeterProvider | None = None

    def close(self) -> None:
        """Export what waits, within seconds, and stop."""
        if self.processor is not None:
            self.processor.shutdown()
        if self.meters is not None:
            self.meters.shutdown(timeout_millis=2_000)
        if self.scrape is not None:
            self.scrape.close()


def record(config: TelemetryConfig, span_exporter: SpanExporter | None, extra: Sequence[MetricReader]) -> Recording:
    """Set up what the config names; `span_exporter` takes its place, `extra` readers come on top."""
    readers = list(extra)
    scrape = Scrape(config.metrics_listen) if config.metrics_listen is not None else None
    if scrape is not None:
        readers.append(scrape.reader)
    resource = _resource(config)
    exporter = span_exporter
    if config.otlp_endpoint is not None:
        exporter = exporter or _span_exporter(config)
        readers.append(_metric_reader(config))
    recording = Recording(Metrics(), scrape=scrape)
    if readers:
        recording.meters = MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False)
        recording.metrics = Metrics(recording.meters.get_meter("concord"))
    if exporter is not None:
        recording.processor = CountedBatchProcessor(
            exporter,
            on_lost=recording.metrics.spans_lost,
            capacity=config.queue_capacity,
            delay_seconds=config.export_delay_seconds,
        )
        spans = TracerProvider(
            sampler=ConcordSampler(config.technical_share),
            resource=resource,
            shutdown_on_exit=False,
            id_generator=TransactionIdGenerator(),
        )
        spans.add_span_processor(recording.processor)
        recording.spans = spans.get_tracer("concord")
    return recording


def _resource(config: TelemetryConfig) -> Resource:
    return Resource(
        {
            "service.namespace": "concord",
            **config.resource_attributes,
            "service.name": config.service_name,
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
        }
    )


def _span_exporter(config: TelemetryConfig) -> SpanExporter:
    endpoint, headers = _endpoint(config), dict(config.otlp_headers)
    if config.otlp_protocol == HTTP:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter

        return HttpSpanExporter(f"{endpoint}/v1/traces", headers=headers, timeout=EXPORT_TIMEOUT_SECONDS)
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter

    insecure = endpoint.startswith("http://")
    return GrpcSpanExporter(endpoint, insecure=insecure, headers=headers, timeout=EXPORT_TIMEOUT_SECONDS)


def _metric_reader(config: TelemetryConfig) -> MetricReader:
    endpoint, headers = _endpoint(config), dict(config.otlp_headers)
    exporter: Any
    if config.otlp_protocol == HTTP:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter

        exporter = HttpMetricExporter(f"{endpoint}/v1/metrics", headers=headers, timeout=EXPORT_TIMEOUT_SECONDS)
    else:
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter

        insecure = endpoint.startswith("http://")
        exporter = GrpcMetricExporter(endpoint, insecure=insecure, headers=headers, timeout=EXPORT_TIMEOUT_SECONDS)
    return PeriodicExportingMetricReader(exporter, export_interval_millis=config.metrics_interval_seconds * 1000)


def _endpoint(config: TelemetryConfig) -> str:
    endpoint = (config.otlp_endpoint or "").rstrip("/")
    if not endpoint.startswith(("http://", "https://")):
        raise TelemetryConfigInvalid("OTEL_EXPORTER_OTLP_ENDPOINT must start with http:// or https://")
    return endpoint
