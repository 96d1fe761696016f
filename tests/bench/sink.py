"""An OTLP endpoint that counts spans and keeps none: what tracing is exported to, in a process of its own.

    python -m tests.bench.sink '{}'

Prints one JSON line with its port when it listens, and ends on SIGTERM. `spans_received` asks it.
"""

from __future__ import annotations

import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
METRICS = "opentelemetry.proto.collector.metrics.v1.MetricsService"
COUNTER = "concord.bench.Sink"


class Sink:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.spans = 0
        self._server = grpc.server(ThreadPoolExecutor(2))
        for service, methods in (
            (TRACES, {"Export": _method(self._take_spans, trace_service_pb2.ExportTraceServiceRequest)}),
            (METRICS, {"Export": _method(_take_metrics, metrics_service_pb2.ExportMetricsServiceRequest)}),
            (COUNTER, {"Count": grpc.unary_unary_rpc_method_handler(lambda _, __: str(self.spans).encode())}),
        ):
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def stop(self) -> None:
        self._server.stop(1).wait()

    def _take_spans(self, request: Any, context: Any) -> Any:
        self.spans += sum(len(scope.spans) for one in request.resource_spans for scope in one.scope_spans)
        return trace_service_pb2.ExportTraceServiceResponse()


def _take_metrics(request: Any, context: Any) -> Any:
    return metrics_service_pb2.ExportMetricsServiceResponse()


def _method(handle: Any, message: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(handle, message.FromString, lambda answer: answer.SerializeToString())


def spans_received(port: int) -> int:
    """How many spans a sink has received so far."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        count: Any = channel.unary_unary(f"/{COUNTER}/Count")
        return int(count(b""))


def main() -> None:
    sink = Sink()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(json.dumps({"port": sink.port}), flush=True)
    stop.wait()
    sink.stop()


if __name__ == "__main__":
    main()
