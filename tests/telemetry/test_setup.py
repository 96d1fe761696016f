from __future__ import annotations

import threading
import urllib.request
from collections.abc import Sequence
from functools import partial

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from libs.telemetry import names
from libs.telemetry.config import TelemetryConfig, TelemetryConfigInvalid
from libs.telemetry.metrics import Scope
from libs.telemetry.setup import configure
from tests.eventually import eventually
from tests.telemetry.otlp_receiver import otlp_receiver
from tests.telemetry.spans import SAMPLED, UNSAMPLED, Recorder, scraped


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_transactions_trace_arrives_at_a_real_otlp_endpoint(protocol: str) -> None:
    with otlp_receiver() as receiver:
        endpoint = receiver.endpoint if protocol == "grpc" else receiver.http_endpoint
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        telemetry = configure(TelemetryConfig.from_env("ledger", env))
        with telemetry.tracer.transaction("receive", UNSAMPLED), telemetry.tracer.technical("odoo"):
            pass
        with telemetry.tracer.batch("post_batch") as batch:
            batch.item("post", UNSAMPLED, failed="ACCOUNT_MISSING")
        telemetry.metrics.received(Scope("companies/acme", "stripe", "stripe/main"))
        telemetry.shutdown()
        root, item = receiver.trace(UNSAMPLED)
        (whole,) = [span for span in receiver.spans if span.name == "post_batch"]
        assert (root.service, root.name, root.parent_span_id) == ("ledger", "receive", "")
        assert (item.name, item.parent_span_id, item.links) == (
            "post",
            root.span_id,
            ((whole.trace_id, whole.span_id),),
        )
        assert item.status_code == 2
        assert item.attributes[names.REASON] == "ACCOUNT_MISSING"
        assert ("ledger", names.METRIC_RECEIVED) in receiver.metrics
        assert telemetry.spans_lost == 0


def test_all_of_ten_thousand_spans_arrive() -> None:
    with otlp_receiver() as receiver:
        telemetry = configure(TelemetryConfig("ledger", otlp_endpoint=receiver.endpoint))
        for _ in range(10_000):
            with telemetry.tracer.step("post", SAMPLED):
                pass
        telemetry.shutdown()
        assert len(receiver.spans) == 10_000
        assert telemetry.spans_lost == 0


class Stuck(SpanExporter):
    """Takes one batch, and gives it back only when it is told to."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()
        self.exported = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.release.wait(60)
        self.exported += len(spans)
        return SpanExportResult.SUCCESS


def test_spans_beyond_the_queue_are_lost_counted_and_do_not_block() -> None:
    exporter, recorder = Stuck(), Recorder()
    config = TelemetryConfig("ledger", queue_capacity=10, export_delay_seconds=0.01)
    telemetry = configure(config, span_exporter=exporter)
    with telemetry.tracer.step("post", SAMPLED):
        pass
    assert exporter.entered.wait(60)
    for _ in range(25):
        with telemetry.tracer.step("post", SAMPLED):
            pass
    assert telemetry.spans_lost == 15
    exporter.release.set()
    telemetry.shutdown()
    assert exporter.exported == 11
    assert telemetry.spans_lost == 15
    recorder.close()


class Refusing(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.FAILURE


def test_spans_that_the_collector_refuses_are_lost_and_the_metric_says_so() -> None:
    recorder = Recorder()
    telemetry = configure(TelemetryConfig("ledger", metrics_listen="127.0.0.1:0"), span_exporter=Refusing())
    with telemetry.tracer.step("post", SAMPLED):
        pass
    assert telemetry.flush()
    assert "concord_telemetry_spans_lost_total 1.0" in scraped(telemetry)
    telemetry.shutdown()
    recorder.close()


class Breaking(SpanExporter):
    """Raises at its first export."""

    def __init__(self) -> None:
        self.exported = 0
        self._broken = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if not self._broken:
            self._broken = True
            raise ValueError("Cannot invoke RPC on closed channel!")
        self.exported += len(spans)
        return SpanExportResult.SUCCESS


def test_an_exporter_that_raises_costs_its_batch_and_not_those_that_follow() -> None:
    exporter = Breaking()
    telemetry = configure(TelemetryConfig("ledger", export_delay_seconds=0.01), span_exporter=exporter)
    for _ in range(2):
        before = exporter.exported + telemetry.spans_lost
        with telemetry.tracer.step("post", SAMPLED):
            pass
        eventually(partial(lambda before: exporter.exported + telemetry.spans_lost > before, before))
    telemetry.shutdown()
    assert (telemetry.spans_lost, exporter.exported) == (1, 1)


def test_an_unreachable_collector_harms_nobody() -> None:
    telemetry = configure(TelemetryConfig("ledger", otlp_endpoint="http://127.0.0.1:1", export_delay_seconds=60))
    with telemetry.tracer.transaction("receive", SAMPLED):
        pass
    telemetry.shutdown()
    assert telemetry.spans_lost == 1


def test_without_an_endpoint_nothing_runs() -> None:
    before = threading.active_count()
    telemetry = configure(TelemetryConfig.from_env("ledger", {}))
    assert threading.active_count() == before
    assert not telemetry.tracer.records
    assert telemetry.client_interceptors() == ()
    assert telemetry.metrics_port is None
    telemetry.metrics.received(Scope("companies/acme"))
    telemetry.shutdown()


def test_prometheus_scrapes_over_http() -> None:
    telemetry = configure(TelemetryConfig.from_env("ledger", {"CONCORD_LEDGER_METRICS_LISTEN": "127.0.0.1:0"}))
    telemetry.metrics.posted(Scope("companies/acme", "stripe", "stripe/main"), latency_seconds=1.5)
    with urllib.request.urlopen(f"http://127.0.0.1:{telemetry.metrics_port}/metrics", timeout=60) as response:
        text = response.read().decode()
    telemetry.shutdown()
    labels = 'concord_company="companies/acme",concord_interface="stripe/main",concord_provider="stripe"'
    assert f"concord_postings_posted_total{{{labels}}} 1.0" in text
    assert f'concord_posting_latency_seconds_bucket{{{labels},le="1.0"}} 0.0' in text
    assert f'concord_posting_latency_seconds_bucket{{{labels},le="2.0"}} 1.0' in text
    assert 'service_name="ledger"' in text


@pytest.mark.parametrize(
    "env",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"},
        {"CONCORD_TRACE_TECHNICAL_SHARE": "2"},
        {"CONCORD_TRACE_TECHNICAL_SHARE": "some"},
    ],
)
def test_a_configuration_that_cannot_work_stops_the_start(env: dict[str, str]) -> None:
    with pytest.raises(TelemetryConfigInvalid):
        configure(TelemetryConfig.from_env("ledger", env))


def test_opentelemetrys_own_variables_are_read() -> None:
    config = TelemetryConfig.from_env(
        "ledger",
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4317",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=abc, y=2",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "CONCORD_METRICS_LISTEN": "127.0.0.1:1",
            "CONCORD_LEDGER_METRICS_LISTEN": "127.0.0.1:2",
        },
    )
    assert config.otlp_headers == {"x-key": "abc", "y": "2"}
    assert config.resource_attributes == {"deployment.environment.name": "test"}
    assert config.metrics_listen == "127.0.0.1:2"
    assert "abc" not in repr(config)
    assert (
        TelemetryConfig.from_env(
            "x", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}
        ).otlp_endpoint
        is None
    )
