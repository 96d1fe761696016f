"""Runs a service as a process: servers and worker threads, a ready line, and an orderly stop."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from libs.errors import ConcordError
from libs.errors.retry import RetryPolicy
from libs.rpc.failures import safe_stack

logger = logging.getLogger(__name__)


class Server(Protocol):
    """What listens: gRPC (`RunningServer`), or an HTTP server with the same two names."""

    @property
    def port(self) -> int: ...

    def stop(self, grace_seconds: float) -> None:
        """Let work in flight end within the grace, then cut it. Blocks."""


# A loop has no budget: it goes on for as long as its process. One look every few seconds hurts nobody who is down, and
# whoever is back is seen at once.
LOOP_PAUSES = RetryPolicy(base_seconds=0.2, cap_seconds=3.0)
MANY = 50  # items share the cost of a round well enough: to wait for more would only hold up what waits


class WorkerLoop:
    """One thread that calls `run_once` while it finds work, then waits for `wake` or the poll interval.

    No error ends the thread: it is logged (the same one in a row only once) and followed by a growing pause. What
    must not be tried again for ever has a budget in its own row; this loop has none.
    """

    def __init__(
        self,
        name: str,
        run_once: Callable[[], int],
        wake: threading.Event | None = None,
        poll_seconds: float = 1.0,
        *,
        pauses: RetryPolicy = LOOP_PAUSES,
        on_error: Callable[[str], None] | None = None,
        pace_seconds: float = 0.0,
    ) -> None:
        """`run_once` returns the number of items done; `on_error` is told each failure's reason (a metric).

        Woken from rest it begins at once. After a round that found little to do the next one begins `pace_seconds`
        after it at the earliest: what comes in between is done together.
        """
        self.name = name
        self.failures = 0  # in a row
        self._run_once = run_once
        self._wake = wake or threading.Event()
        self._poll_seconds = poll_seconds
        self._pauses = pauses
        self._rng = random.SystemRandom()
        self._on_error = on_error
        self._pace_seconds = pace_seconds
        self._last_failure = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def ask_to_stop(self) -> None:
        """End after the item in hand. Returns at once."""
        self._stopping.set()
        self._wake.set()

    def stop(self, grace_seconds: float = 10.0) -> bool:
        """Ask to stop and wait; false if the item in hand took longer than the grace."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join(grace_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Cleared before the look: what arrives during it sets the event again and is not slept over.
            self._wake.clear()
            may_begin_at = time.monotonic() + self._pace_seconds
            try:
                done = self._run_once()
            except Exception as error:  # noqa: BLE001 - a worker must never die silently
                self._failed(error)
                self._stopping.wait(self._pauses.pause(self.failures, self._rng))
                continue
            self._succeeded()
            if done == 0 and not self._stopping.is_set():
                self._wake.wait(self._poll_seconds)
            if done < MANY and (early_seconds := may_begin_at - time.monotonic()) > 0:
                self._stopping.wait(early_seconds)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        reason = error.reason if isinstance(error, ConcordError) else f"UNEXPECTED_{type(error).__name__}"
        if self._on_error is not None:
            self._on_error(reason)
        stack = safe_stack(error)
        if isinstance(error, ConcordError) and error.kind.is_technical:
            if self._last_failure != reason:
                logger.warning("worker %s must wait: %s", self.name, reason)
            self._last_failure = reason
        else:
            if self._last_failure != stack:
                logger.error("worker %s failed: %s\n%s", self.name, reason, stack)
            self._last_failure = stack

    def _succeeded(self) -> None:
        if self.failures:
            logger.info("worker %s works again after %s failures", self.name, self.failures)
        self.failures, self._last_failure = 0, ""


class ServiceProcess:
    """The servers and workers of one service, started together and stopped in order.

    Stop order: workers are told, servers end (no new work, calls in flight finish), workers are awaited, then
    `closing` (telemetry's flush, the engine's disposal) in the order given.
    """

    def __init__(
        self,
        name: str,
        servers: Mapping[str, Server],
        workers: Sequence[WorkerLoop] = (),
        *,
        closing: Sequence[Callable[[], Any]] = (),
        grace_seconds: float = 10.0,
    ) -> None:
        self.name = name
        self._servers = servers
        self._workers = workers
        self._closing = closing
        self._grace_seconds = grace_seconds
        self._stop = threading.Event()
        self._stopped = False

    def start(self, *, ports_file: str | None = None, out: TextIO | None = None) -> None:
        """Start the workers and say so: one JSON line on `out`, and the same into `ports_file` if given.

        The servers listen already; `ports_file` appears whole or not at all.
        """
        for worker in self._workers:
            worker.start()
        ready = self.ready_line()
        if ports_file is not None:
            partial = Path(f"{ports_file}.{os.getpid()}.partial")
            partial.write_text(ready + "\n")
            partial.replace(ports_file)
        if out is not None:
            out.write(ready + "\n")
            out.flush()

    def ready_line(self) -> str:
        """`{"ready": name, "pid": …, "ports": {server: port}}`"""
        ports = {name: server.port for name, server in self._servers.items()}
        return json.dumps({"ready": self.name, "pid": os.getpid(), "ports": ports})

    def run(self, *, ports_file: str | None = None, out: TextIO | None = None) -> int:
        """Start, wait for SIGTERM or SIGINT, stop in order; the process's exit status. For the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self.start(ports_file=ports_file, out=out or sys.stdout)
        while not self._stop.wait(1.0):
            self._warn_of_dead_workers()
        return 0 if self.stop() else 1

    def ask_to_stop(self) -> None:
        """What a signal does: make `run` stop and return."""
        self._stop.set()

    def stop(self) -> bool:
        """Stop in order, once; false if something did not end within the grace."""
        self._stop.set()
        if self._stopped:
            return True
        self._stopped = True
        ends_at = time.monotonic() + self._grace_seconds
        for worker in self._workers:
            worker.ask_to_stop()
        for server in self._servers.values():
            server.stop(max(0.1, ends_at - time.monotonic()))
        late = [worker.name for worker in self._workers if not worker.stop(max(0.1, ends_at - time.monotonic()))]
        if late:
            logger.warning("workers did not stop in time: %s", ", ".join(late))
        for close in self._closing:
            try:
                close()
            except Exception as error:  # noqa: BLE001 - the rest must still be closed
                logger.error("closing %s failed\n%s", self.name, safe_stack(error))
        logger.info("%s stopped", self.name)
        return not late

    def _warn_of_dead_workers(self) -> None:
        for worker in self._workers:
            if not worker.is_alive():
                # Only a BaseException (SystemExit, say) ends one; half a service must not look like a whole one.
                logger.critical("worker %s has died; stopping", worker.name)
                self._stop.set()
