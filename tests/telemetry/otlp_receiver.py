"""A real OTLP endpoint on this machine: what an exporter sends over gRPC or HTTP arrives here and can be read."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """One span as it arrived."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_span_id: str  # empty for a root
    links: tuple[tuple[str, str], ...]  # (trace id, span id)
    attributes: dict[str, Any]
    status_code: int  # 2 is an error
    kind: int
    start_ns: int
    end_ns: int


class OtlpReceiver:
    """Keeps all spans and metric names received. `endpoint` is for OTEL_EXPORTER_OTLP_ENDPOINT (gRPC)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[ReceivedSpan] = []
        self._metrics: set[tuple[str, str]] = set()
        self._server = grpc.server(ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Traces(self), self._server)  # type: ignore[no-untyped-call]
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(_Metrics(self), self._server)  # type: ignore[no-untyped-call]
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _http_handler(self))
        self.http_endpoint = f"http://127.0.0.1:{self._http.server_port}"
        self._http_thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        self._server.start()
        self._http_thread.start()

    def stop(self) -> None:
        self._server.stop(0).wait()
        self._http.shutdown()
        self._http.server_close()
        self._http_thread.join(5)

    @property
    def spans(self) -> list[ReceivedSpan]:
        """All spans so far, by start time."""
        with self._lock:
            return sorted(self._spans, key=lambda span: span.start_ns)

    @property
    def metrics(self) -> set[tuple[str, str]]:
        """(service, metric name) of all metrics so far."""
        with self._lock:
            return set(self._metrics)

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """The spans of one trace, by start time. The trace id of a transaction is its id."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def wait_for(
        self, condition: Callable[[list[ReceivedSpan]], bool], timeout_seconds: float = 60.0
    ) -> list[ReceivedSpan]:
        """The spans, once the condition holds; AssertionError if it never does."""
        ends_at = time.monotonic() + timeout_seconds
        while not condition(self.spans):
            arrived = sorted({(span.service, span.name) for span in self.spans})
            assert time.monotonic() < ends_at, f"did not arrive in {timeout_seconds} s; there are {arrived}"
            time.sleep(0.02)
        return self.spans

    def take_spans(self, request: trace_service_pb2.ExportTraceServiceRequest) -> None:
        received = [
            _received(_attributes(group.resource.attributes).get("service.name", ""), span)
            for group in request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
        with self._lock:
            self._spans.extend(received)

    def take_metrics(self, request: metrics_service_pb2.ExportMetricsServiceRequest) -> None:
        received = {
            (_attributes(group.resource.attributes).get("service.name", ""), metric.name)
            for group in request.resource_metrics
            for scope in group.scope_metrics
            for metric in scope.metrics
        }
        with self._lock:
            self._metrics |= received


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """A receiver that listens until the end of the block."""
    receiver = OtlpReceiver()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


def _received(service: str, span: Any) -> ReceivedSpan:
    return ReceivedSpan(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        attributes=_attributes(span.attributes),
        status_code=span.status.code,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


class _Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:
        self._receiver.take_spans(request)
        return trace_service_pb2.ExportTraceServiceResponse()


class _Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver

    def Export(self, request: Any, context: Any) -> Any:
        self._receiver.take_metrics(request)
        return metrics_service_pb2.ExportMetricsServiceResponse()


def _http_handler(receiver: OtlpReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                receiver.take_spans(trace_service_pb2.ExportTraceServiceRequest.FromString(body))
            else:
                receiver.take_metrics(metrics_service_pb2.ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    return Handler
