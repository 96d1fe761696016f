"""uvicorn's HTTP/1.1 with the limits that it lacks: on a head's size and time, on trailers and chunks' frames.

What it refuses by itself (what is no HTTP, more connections than allowed) gets a problem body like every refusal.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .. import problems
from ..problems import HttpProblem

MAX_HEAD_BYTES = 64 * 1024
HEAD_TIMEOUT_SECONDS = 10.0
# A sender that was refused in the middle of its body may go on so long, so that it comes to read the answer.
LINGER_SECONDS = 5.0


class LimitedProtocol(HttpToolsProtocol):
    """One connection. `limit_concurrency` of uvicorn's configuration is how many there may be."""

    head_timeout_seconds = HEAD_TIMEOUT_SECONDS
    linger_seconds = LINGER_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Counted when a connection is made, not when it asks: one that waits takes a place too.
        self._most, self.limit_concurrency = self.limit_concurrency, None
        self._framing_bytes = 0  # of the message that is coming in: what is no body, and not paid for by one
        self._in_head = self._in_message = False
        self._timer: asyncio.TimerHandle | None = None  # of a head, or of a body that nobody reads

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        if self._most is not None and len(self.connections) > self._most:
            self._refuse(problems.TOO_MANY_CONNECTIONS)
            return
        self._timer = self.loop.call_later(self.head_timeout_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._framing_bytes += len(data)
        super().data_received(data)
        if self._framing_bytes > MAX_HEAD_BYTES:
            self._refuse(problems.HEAD_TOO_LARGE)
        elif self._in_head and self._timer is None:
            self._timer = self.loop.call_later(self.head_timeout_seconds, self._head_is_late)

    def on_message_begin(self) -> None:
        self._in_head = self._in_message = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        # Each byte pays for itself and for one of its chunk's frame.
        self._framing_bytes -= 2 * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._framing_bytes = 0
        self._in_message = False
        self._stop_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        answered_early = self._in_message and not self._in_head and self.cycle.response_complete
        if answered_early and self._timer is None:
            self._timer = self.loop.call_later(self.linger_seconds, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for what it cannot parse; its own answer is plain text."""
        self._refuse(problems.MALFORMED)

    def _head_is_late(self) -> None:
        if self._in_head:
            self._refuse(problems.HEAD_TOO_SLOW)
        else:
            self.transport.close()  # nothing was asked

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, problem: HttpProblem) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(problem.answer())
            self.transport.close()
        else:
            self.transport.abort()  # an answer is under way: there is no place for another
