"""What every server interceptor of ours shares: one hook around a call, whatever its shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import grpc

# A method's implementation: (request or iterator of requests, context) -> response or iterator of responses. A response
# is a message, or the bytes of one that is serialized already.
Behavior = Callable[[Any, grpc.ServicerContext], Any]

# Health and reflection must answer before a caller can prove who it is. They are handed through untouched:
# grpc_health's Watch carries attributes on its function that a wrapper would lose.
OPEN_SERVICES = (
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1alpha.ServerReflection/",
    "/grpc.reflection.v1.ServerReflection/",
)


def is_open(method: str) -> bool:
    """Whether a full method name (`/package.Service/Method`) needs no identity."""
    return method.startswith(OPEN_SERVICES)


class WrappingInterceptor(ABC):
    """Replaces what answers each call that needs an identity."""

    @abstractmethod
    def wrap(self, method: str, behavior: Behavior, response_streaming: bool) -> Behavior:
        """What answers in place of `behavior`, asked once a method. `method` is a full name:
        `/concord.ledger.v1.LedgerService/…`."""


class CallInterceptor(WrappingInterceptor):
    """Runs `around` about each call: for a stream of responses, until the last one was taken.

    gRPC runs every call in a `contextvars.Context` of its own, so `around` may set context variables and
    need not reset them; a generator that is closed by the garbage collector could not.
    """

    @abstractmethod
    def around(self, method: str, context: grpc.ServicerContext) -> AbstractContextManager[Any]:
        """The work before and after the call of `method`."""

    def wrap(self, method: str, behavior: Behavior, response_streaming: bool) -> Behavior:
        """The behavior with `around` about it."""

        def unary(request: Any, context: grpc.ServicerContext) -> Any:
            with self.around(method, context):
                return behavior(request, context)

        def streaming(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self.around(method, context):
                yield from behavior(request, context)

        return streaming if response_streaming else unary


class GateInterceptor(WrappingInterceptor):
    """Runs `check` before each call, which is refused by what it raises."""

    @abstractmethod
    def check(self, method: str, context: grpc.ServicerContext) -> None:
        """Whether `method` may be called; what it sets in context variables holds for the call."""

    def wrap(self, method: str, behavior: Behavior, response_streaming: bool) -> Behavior:
        """The behavior behind `check`."""

        def checked(request: Any, context: grpc.ServicerContext) -> Any:
            self.check(method, context)
            return behavior(request, context)

        return checked


class Interception(grpc.ServerInterceptor):
    """All interceptors of a server, the outermost first, put around each method once: gRPC asks at every call."""

    def __init__(self, interceptors: Sequence[WrappingInterceptor]) -> None:
        self._interceptors = interceptors
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}  # by the method

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        method = handler_call_details.method
        known = self._handlers.get(method)
        if known is not None:
            return known
        handler = continuation(handler_call_details)
        if handler is None or is_open(method):
            return handler
        return self._handlers.setdefault(method, self._around(method, handler))

    def _around(self, method: str, handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
        def wrap(behavior: Behavior, response_streaming: bool) -> Behavior:
            for interceptor in reversed(self._interceptors):
                behavior = interceptor.wrap(method, behavior, response_streaming)
            return behavior

        serialization = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": _unless_finished(handler.response_serializer),
        }
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(wrap(handler.unary_unary, False), **serialization)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(wrap(handler.unary_stream, True), **serialization)
        if handler.stream_unary is not None:
            return grpc.stream_unary_rpc_method_handler(wrap(handler.stream_unary, False), **serialization)
        assert handler.stream_stream is not None, "a handler has one behavior"
        return grpc.stream_stream_rpc_method_handler(wrap(handler.stream_stream, True), **serialization)


def _unless_finished(serialize: Callable[[Any], bytes] | None) -> Callable[[Any], bytes] | None:
    """The same for messages; bytes are a response that is serialized already."""
    if serialize is None:
        return None
    return lambda response: response if isinstance(response, bytes) else serialize(response)


def metadata_value(context: grpc.ServicerContext, key: str) -> str | None:
    """The call's first metadata value under `key` (lower case), as text."""
    for name, value in context.invocation_metadata() or ():
        if name == key:
            return value if isinstance(value, str) else value.decode("latin-1")
    return None
