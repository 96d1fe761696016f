"""Publishes outbox messages to NATS JetStream.

The message's id is its `Nats-Msg-Id`: within the stream's window for duplicates, JetStream stores a repeated message
once; beyond it, consumers know repeats by the same id. An ack is only as durable as the server is told to be:
`sync_interval: always`, or a power cut takes what was acknowledged.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

import nats
import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import NotFoundError

from .outbox import Message, PublishFailed

DUPLICATES_SECONDS = 3600.0


class NatsPublisher:
    """A `Publisher` for one stream. The client is asynchronous, so it lives on a loop in a thread of its own.

    Subjects are `{prefix}.{topic}`. The stream is made if it is missing. After any failure the connection is made anew.
    """

    def __init__(self, url: str, *, stream: str = "CONCORD", prefix: str = "concord", timeout_seconds: float = 10.0):
        self._url = url
        self._stream = stream
        self._prefix = prefix
        self._timeout_seconds = timeout_seconds
        self._client: Client | None = None
        self._jetstream: JetStreamContext | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()

    def publish(self, messages: Sequence[Message]) -> None:
        """Return once JetStream has acknowledged all of them; else raise `PublishFailed`."""
        try:
            self._run(self._publish(messages)).result(self._timeout_seconds)
        except (nats.errors.Error, OSError, TimeoutError, FutureTimeout) as error:
            self._run(self._disconnect()).result(self._timeout_seconds)
            raise PublishFailed(f"NATS: {type(error).__name__}") from None

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._run(self._disconnect()).result(self._timeout_seconds)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _publish(self, messages: Sequence[Message]) -> None:
        jetstream = self._jetstream or await self._connect()
        by_key: dict[str, list[Message]] = {}
        for message in messages:
            by_key.setdefault(message.key, []).append(message)
        # Keys side by side; within a key one after the other, so that a failure leaves no gap before a later message.
        async with asyncio.timeout(self._timeout_seconds):
            await _all_or_first_error([self._publish_in_order(jetstream, each) for each in by_key.values()])

    async def _publish_in_order(self, jetstream: JetStreamContext, messages: Sequence[Message]) -> None:
        for message in messages:
            headers = {
                **message.headers,
                "Nats-Msg-Id": message.id,
                "Concord-Key": message.key,
                "Concord-Transaction-Id": message.transaction_id,
            }
            await jetstream.publish(
                f"{self._prefix}.{message.topic}",
                message.payload,
                timeout=self._timeout_seconds,
                stream=self._stream,
                headers=headers,
            )

    async def _connect(self) -> JetStreamContext:
        self._client = await nats.connect(
            self._url, allow_reconnect=False, connect_timeout=int(self._timeout_seconds) or 1, error_cb=_ignored
        )
        jetstream = self._client.jetstream()
        try:
            await jetstream.stream_info(self._stream)
        except NotFoundError:
            await jetstream.add_stream(
                StreamConfig(
                    name=self._stream,
                    subjects=[f"{self._prefix}.>"],
                    storage=StorageType.FILE,
                    duplicate_window=DUPLICATES_SECONDS,
                )
            )
        self._jetstream = jetstream
        return jetstream

    async def _disconnect(self) -> None:
        client, self._client, self._jetstream = self._client, None, None
        if client is not None and not client.is_closed:
            await client.close()


async def _all_or_first_error(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Wait for all, also after a failure, so that none goes on unwatched; then raise the first error."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _ignored(error: Exception) -> None:
    """Errors reach us through the calls that they break; the client's own habit is to log them as well."""
