"""Sets up a service's telemetry. Without an endpoint nothing is recorded, yet trace context is still passed on."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from libs.errors import ConcordError
from libs.telemetry.export import CAPACITY, DELAY_SECONDS, CountedBatchProcessor
from libs.telemetry.metrics import Metrics
from libs.telemetry.rpc import TelemetryClientInterceptor, TelemetryServerInterceptor
from libs.telemetry.sampling import ConcordSampler, TransactionIdGenerator
from libs.telemetry.scrape import Scrape
from libs.telemetry.trace import Tracer

GRPC = "grpc"
HTTP = "http/protobuf"
EXPORT_TIMEOUT_SECONDS = 10.0


class TelemetryConfigInvalid(ConcordError):
    """Telemetry is configured with something that can't be used; the process must not start."""

    reason = "TELEMETRY_CONFIG_INVALID"


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """Where telemetry goes. All off: a service that runs without an observability team."""

    service_name: str
    otlp_endpoint: str | None = None  # `http://collector:4317`; https for TLS
    otlp_protocol: str = GRPC  # or `http/protobuf`
    otlp_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    metrics_listen: str | None = None  # `host:port` of a Prometheus endpoint; port 0: the system chooses
    metrics_interval_seconds: float = 15.0
    technical_share: float = 0.1
    queue_capacity: int = CAPACITY
    export_delay_seconds: float = DELAY_SECONDS
    resource_attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_env(cls, service_name: str, env: Mapping[str, str]) -> TelemetryConfig:
        """OpenTelemetry's own variables, and `CONCORD_[{SERVICE}_]METRICS_LISTEN`, `CONCORD_TRACE_TECHNICAL_SHARE`."""
        protocol = env.get("OTEL_EXPORTER_OTLP_PROTOCOL") or GRPC
        if protocol not in (GRPC, HTTP):
            raise TelemetryConfigInvalid(f"OTEL_EXPORTER_OTLP_PROTOCOL must be {GRPC} or {HTTP}")
        disabled = env.get("OTEL_SDK_DISABLED", "").lower() == "true"
        own_listen = env.get(f"CONCORD_{service_name.upper()}_METRICS_LISTEN")
        return cls(
            service_name=service_name,
            otlp_endpoint=None if disabled else env.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
            otlp_protocol=protocol,
            otlp_headers=_pairs(env.get("OTEL_EXPORTER_OTLP_HEADERS", "")),
            metrics_listen=own_listen or env.get("CONCORD_METRICS_LISTEN") or None,
            technical_share=_share(env.get("CONCORD_TRACE_TECHNICAL_SHARE") or "0.1"),
            resource_attributes=_pairs(env.get("OTEL_RESOURCE_ATTRIBUTES", "")),
        )


class Telemetry:
    """One service's tracer, metrics and interceptors. Close it with `shutdown`, or what waits is lost."""

    def __init__(
        self,
        tracer: Tracer,
        metrics: Metrics,
        *,
        processor: CountedBatchProcessor | None = None,
        scrape: Scrape | None = None,
        closing: Sequence[Callable[[], Any]] = (),
    ) -> None:
        self.tracer = tracer
        self.metrics = metrics
        self._processor = processor
        self._scrape = scrape
        self._closing = closing

    def server_interceptors(self) -> tuple[grpc.ServerInterceptor, ...]:
        """For `libs.rpc.server.serve`."""
        return (TelemetryServerInterceptor(self.tracer, self.metrics),)

    def client_interceptors(self) -> tuple[Any, ...]:
        """For `libs.rpc.channel.open_channel`; none where nothing is recorded: the headers go along without."""
        return (TelemetryClientInterceptor(self.tracer),) if self.tracer.records else ()

    def scrape(self) -> str:
        """The metrics as Prometheus text, for an HTTP server of the service's own; empty where there are none."""
        return self._scrape.text() if self._scrape is not None else ""

    @property
    def metrics_port(self) -> int | None:
        """The port of the Prometheus endpoint, if one was asked for."""
        return self._scrape.port if self._scrape is not None else None

    @property
    def spans_lost(self) -> int:
        """Recorded spans that never arrived."""
        return self._processor.lost if self._processor is not None else 0

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Export all spans that have ended; false if that took too long."""
        return self._processor is None or self._processor.force_flush(round(timeout_seconds * 1000))

    def shutdown(self) -> None:
        """Export what waits, within seconds, and stop."""
        if self._processor is not None:
            self._processor.shutdown()
        for close in self._closing:
            close()
        if self._scrape is not None:
            self._scrape.close()


def configure(
    config: TelemetryConfig,
    *,
    span_exporter: SpanExporter | None = None,
    metric_readers: Sequence[MetricReader] = (),
) -> Telemetry:
    """Build a service's telemetry; nothing global is touched, so several may live in one process.

    `span_exporter` and `metric_readers` take the place of, or come on top of, what the config names: for tests.
    """
    readers = list(metric_readers)
    scrape = Scrape(config.metrics_listen) if config.metrics_listen is not None else None
    if scrape is not None:
        readers.append(scrape.reader)
    resource = _resource(config)
    exporter = span_exporter
    if config.otlp_endpoint is not None:
        exporter = exporter or _span_exporter(config)
        readers.append(_metric_reader(config))
    closing: list[Callable[[], Any]] = []
    metrics = Metrics()
    if readers:
        meters = MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False)
        metrics = Metrics(meters.get_meter("concord"))
        closing.append(lambda: meters.shutdown(timeout_millis=2_000))
    if exporter is None:
        return Telemetry(Tracer(None, config.technical_share), metrics, scrape=scrape, closing=closing)
    processor = CountedBatchProcessor(
        exporter,
        on_lost=metrics.spans_lost,
        capacity=config.queue_capacity,
        delay_seconds=config.export_delay_seconds,
    )
    spans = TracerProvider(
        sampler=ConcordSampler(config.technical_share),
        resource=resource,
        shutdown_on_exit=False,
        id_generator=TransactionIdGenerator(),
    )
    spans.add_span_processor(processor)
    tracer = Tracer(spans.get_tracer("concord"), config.technical_share)
    return Telemetry(tracer, metrics, processor=processor, scrape=scrape, closing=closing)


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


def _pairs(text: str) -> dict[str, str]:
    """`a=1,b=2` as a mapping, as OpenTelemetry writes lists."""
    pairs = (member.partition("=") for member in text.split(",") if "=" in member)
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise TelemetryConfigInvalid("CONCORD_TRACE_TECHNICAL_SHARE must be between 0 and 1")
    return share
