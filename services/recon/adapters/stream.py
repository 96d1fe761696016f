"""One open stream of a company's changes, read ahead by a thread into a bounded queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from concord.ledger.v1 import ledger_pb2

from libs.errors import ConcordError

AHEAD = 1000  # changes read ahead of whoever takes them
STREAM_SECONDS = 3600.0

Watch = Callable[[str], Any]  # opens the call that goes on from a token


class ChangeStream:
    """Gives what has arrived, without waiting for more; begins anew wherever it is asked to.

    Not for several takers at once: the watch worker is one thread.
    """

    def __init__(self, watch: Watch, on_change: Callable[[], object]) -> None:
        self._watch = watch
        self._on_change = on_change
        self._reader: _ReadAhead | None = None
        self._token: str | None = None

    def take(self, token: str, limit: int) -> list[ledger_pb2.WatchPostingsResponse]:
        """The next changes after the token that are here now. Raises what ended the stream, then begins anew."""
        if self._reader is None or token != self._token:
            self.close()
            self._reader = _ReadAhead(self._watch(token), self._on_change)
            self._token = token
        found = self._reader.drain(limit)
        if found:
            self._token = found[-1].resume_token
        elif self._reader.ended:
            failure = self._reader.failure
            self.close()
            if failure is not None and failure.reason != "DEADLINE_EXCEEDED":
                raise failure
        return found

    def close(self) -> None:
        if self._reader is not None:
            self._reader.stop()
            self._reader = None


class _ReadAhead:
    """The thread that reads one call's responses."""

    def __init__(self, call: Any, on_change: Callable[[], object]) -> None:
        self._call = call
        self._on_change = on_change
        self._arrived: queue.Queue[ledger_pb2.WatchPostingsResponse] = queue.Queue(AHEAD)
        self._stopping = threading.Event()
        self._done = threading.Event()
        self.failure: ConcordError | None = None
        threading.Thread(target=self._run, name="watch-postings", daemon=True).start()

    @property
    def ended(self) -> bool:
        """The call is over and all that it brought was taken."""
        return self._done.is_set() and self._arrived.empty()

    def drain(self, limit: int) -> list[ledger_pb2.WatchPostingsResponse]:
        found: list[ledger_pb2.WatchPostingsResponse] = []
        while len(found) < limit:
            try:
                found.append(self._arrived.get_nowait())
            except queue.Empty:
                break
        return found

    def stop(self) -> None:
        self._stopping.set()
        self._call.cancel()

    def _run(self) -> None:
        try:
            for response in self._call:
                while not self._stopping.is_set():
                    try:
                        self._arrived.put(response, timeout=0.5)
                        self._on_change()
                        break
                    except queue.Full:
                        continue
        except ConcordError as error:
            if not self._stopping.is_set():
                self.failure = error
        finally:
            self._done.set()
            self._on_change()
