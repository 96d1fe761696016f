"""Traces gRPC by hand: one thin server span a call, one client span a call, both technical."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from types import TracebackType
from typing import Any, NamedTuple

import grpc
from opentelemetry import context as context_api
from opentelemetry.trace import SpanKind

from libs.rpc.errors import RemoteError
from libs.rpc.interception import CallInterceptor
from libs.telemetry import names
from libs.telemetry.context import incoming_context
from libs.telemetry.metrics import Metrics
from libs.telemetry.trace import Step, Tracer

# Of these the server is the cause. A refused request is no failure of the server: an alarm must not ring for it.
SERVER_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)


class TelemetryServerInterceptor(CallInterceptor):
    """Goes on in the caller's trace, measures the call, and counts callers that were not known.

    Must be the outermost: it sees the status that the caller sees.
    """

    def __init__(self, tracer: Tracer, metrics: Metrics) -> None:
        self._tracer = tracer
        self._metrics = metrics

    def around(self, method: str, context: grpc.ServicerContext) -> AbstractContextManager[None]:
        return _Served(self._tracer, self._metrics, _called(method), context)


class _Called(NamedTuple):
    """What a method is called in spans and metrics."""

    span: str
    service: str
    name: str
    attributes: Mapping[str, str]


@cache
def _called(method: str) -> _Called:
    service, _, name = method[1:].partition("/")
    attributes = {names.RPC_SYSTEM: "grpc", names.RPC_SERVICE: service, names.RPC_METHOD: name}
    return _Called(f"{service}/{name}", service, name, attributes)


class _Served(AbstractContextManager[None]):
    """A call, from its first to its last moment. A class, since a generator would cost each call more."""

    __slots__ = ("_began", "_called", "_context", "_metrics", "_step", "_tracer")

    def __init__(self, tracer: Tracer, metrics: Metrics, called: _Called, context: grpc.ServicerContext) -> None:
        self._tracer = tracer
        self._metrics = metrics
        self._called = called
        self._context = context

    def __enter__(self) -> None:
        parent = incoming_context(self._context.invocation_metadata() or ())
        span, attributes = self._called.span, self._called.attributes
        self._step = self._tracer.technical(span, attributes, kind=SpanKind.SERVER, parent=parent)
        # Attached, not detached: the context is this call's own, and a stream's end may run in another thread's.
        if self._step.context is not None:
            context_api.attach(self._step.context)
        self._began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        code = _code(self._context)
        status = code.name
        self._metrics.rpc_served(time.perf_counter() - self._began, self._called.service, self._called.name, status)
        if code is grpc.StatusCode.UNAUTHENTICATED:
            self._metrics.authentication_failure(self._called.span, status)
        self._step.set(names.RPC_STATUS, status)
        if code in SERVER_FAULTS:
            self._step.fail(status)
        self._step.end()


def _code(context: grpc.ServicerContext) -> grpc.StatusCode:
    """The status the call ends with. A stream that its client left has none: it was cancelled."""
    code = context.code()  # type: ignore[attr-defined]  # the stubs forget it
    if isinstance(code, grpc.StatusCode):
        return code
    return grpc.StatusCode.OK if context.is_active() else grpc.StatusCode.CANCELLED


class TelemetryClientInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """A client span around each call. The headers are put in by `open_channel`, which this goes outside of."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._traced(continuation, client_call_details, request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._traced(continuation, client_call_details, request_iterator)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._traced(continuation, client_call_details, request)

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._traced(continuation, client_call_details, request_iterator)

    def _traced(self, continuation: Any, details: Any, request: Any) -> Any:
        called = _called(details.method if isinstance(details.method, str) else details.method.decode())
        step = self._tracer.technical(called.span, called.attributes, kind=SpanKind.CLIENT)
        if not step.recording:
            return continuation(details, request)
        token = context_api.attach(step.context) if step.context is not None else None
        try:
            call = continuation(details, request)
        finally:
            if token is not None:
                context_api.detach(token)
        # A unary call is over by now, and the callback runs at once; a stream's or a future's runs at its end.
        if hasattr(call, "add_done_callback") and not isinstance(call, grpc.RpcError):
            call.add_done_callback(lambda done: _end(step, done))
        else:
            _end(step, call)
        return call


def _end(step: Step, call: Any) -> None:
    status = _status(call)
    step.set(names.RPC_STATUS, status)
    if status != "OK":
        step.fail(status)
    step.end()


def _status(call: Any) -> str:
    if call.cancelled():
        return grpc.StatusCode.CANCELLED.name
    error = call.exception()
    if error is None:
        return grpc.StatusCode.OK.name
    if isinstance(error, RemoteError):
        return error.code.name
    return error.code().name if isinstance(error, grpc.Call) else type(error).__name__
