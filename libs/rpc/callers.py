"""A limit on how many calls one caller may have waiting."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from libs.errors import ConcordError, Kind
from libs.rpc.identity import current_identity
from libs.rpc.interception import Behavior, CallInterceptor


class TooManyCalls(ConcordError):
    """The caller has as many calls waiting as one caller may."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_CALLS"


class CallerLimitInterceptor(CallInterceptor):
    """Refuses a call of `methods` to a caller who has `most` of them in hand. To be inside of the identity's."""

    def __init__(self, methods: frozenset[str], most: int) -> None:
        self._methods = methods
        self._most = most
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()  # in hand, by the caller's subject

    def wrap(self, method: str, behavior: Behavior, response_streaming: bool) -> Behavior:
        return super().wrap(method, behavior, response_streaming) if method in self._methods else behavior

    @contextmanager
    def around(self, method: str, context: grpc.ServicerContext) -> Iterator[Any]:
        subject = current_identity().subject
        with self._lock:
            if self._calls[subject] >= self._most:
                raise TooManyCalls(f"{self._most} calls of this caller wait already")
            self._calls[subject] += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls[subject] -= 1
                if not self._calls[subject]:
                    del self._calls[subject]
