"""Limits on how long a call may take and how many streams may be open.

A caller should set a deadline; for one that doesn't, the server sets its own. A synchronous handler can't be
interrupted, so such a call runs on a second pool: the caller gets DEADLINE_EXCEEDED, the handler ends by itself.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

import grpc

from libs.errors import ConcordError, Kind
from libs.rpc.errors import DeadlineExceeded
from libs.rpc.interception import Behavior, WrappingInterceptor

_deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar("concord_deadline", default=None)
_draining: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("concord_draining", default=None)


class TooManyStreams(ConcordError):
    """The server's limit of open streams is reached."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_STREAMS"


class ServerDraining(ConcordError):
    """The server is about to stop; call again, another one answers or this one after its restart."""

    kind = Kind.RETRY
    reason = "SERVER_DRAINING"


def seconds_left() -> float | None:
    """What is left of the current call's time, never below zero; None outside of a call with a limit.

    A client channel that is opened with `open_channel` passes it on to the calls that this call makes.
    """
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def stream_may_go_on(context: grpc.ServicerContext) -> bool:
    """Whether a stream's handler should look for more: false once the client left, time is up or the server drains."""
    draining = _draining.get()
    left = seconds_left()
    return context.is_active() and not (draining is not None and draining.is_set()) and (left is None or left > 0)


class LimitInterceptor(WrappingInterceptor):
    """Sets each call's deadline, bounds open streams, and ends streams when the server drains."""

    def __init__(
        self,
        *,
        unary_seconds: float,
        stream_seconds: float,
        max_streams: int,
        pool: ThreadPoolExecutor,
        draining: threading.Event,
        waiting: frozenset[str] = frozenset(),
    ) -> None:
        """`waiting` names methods that keep to `seconds_left` by themselves, so that each needs one thread only."""
        self._unary_seconds = unary_seconds
        self._stream_seconds = stream_seconds
        self._streams = threading.BoundedSemaphore(max_streams)
        self._pool = pool
        self._draining = draining
        self._waiting = waiting

    def wrap(self, method: str, behavior: Behavior, response_streaming: bool) -> Behavior:
        def unary(request: Any, context: grpc.ServicerContext) -> Any:
            return self._unary(behavior, request, context, keeps_time=method in self._waiting)

        def streaming(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            return self._streaming(behavior, request, context)

        return streaming if response_streaming else unary

    def _unary(self, behavior: Behavior, request: Any, context: grpc.ServicerContext, *, keeps_time: bool) -> Any:
        remaining = context.time_remaining()
        limit = self._unary_seconds if remaining is None else min(remaining, self._unary_seconds)
        _deadline.set(time.monotonic() + limit)
        if limit <= 0:  # it waited for a thread until its time was up: the caller has left
            raise DeadlineExceeded("the call's time was up before it began")
        if keeps_time or (remaining is not None and remaining <= self._unary_seconds):
            return behavior(request, context)
        future = self._pool.submit(contextvars.copy_context().run, behavior, request, context)
        try:
            return future.result(timeout=limit)
        except FutureTimeout:
            if future.done():
                raise  # the handler's own TimeoutError, not ours
            future.cancel()
            raise DeadlineExceeded("the call took longer than the server allows") from None

    def _streaming(self, behavior: Behavior, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        if not self._streams.acquire(blocking=False):
            raise TooManyStreams("the limit of open streams is reached; try later")
        try:
            remaining = context.time_remaining()
            limit = self._stream_seconds if remaining is None else min(remaining, self._stream_seconds)
            ends_at = time.monotonic() + limit
            _deadline.set(ends_at)
            _draining.set(self._draining)
            for response in behavior(request, context):
                yield response
                if self._draining.is_set():
                    raise ServerDraining("the server is about to stop")
                if time.monotonic() >= ends_at:
                    raise DeadlineExceeded("the stream has been open as long as the server allows")
        finally:
            self._streams.release()
