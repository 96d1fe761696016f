"""Health that tells the truth: NOT_SERVING for as long as what a service can't work without is away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from libs.errors.retry import RetryPolicy
from libs.service.process import WorkerLoop

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0


class HasHealth(Protocol):
    """What tells health checks: `RunningServer`."""

    def set_serving(self, serving: bool) -> None: ...


class Readiness:
    """Tells a server's health checks whether `probe` ends well. A server that was just started says SERVING."""

    def __init__(self, server: HasHealth, probe: Callable[[], object]) -> None:
        self._server = server
        self._probe = probe
        self._serving = True

    def run_once(self) -> int:
        """Probe once. Whatever the probe raises turns health to NOT_SERVING, and is raised again."""
        reached = False
        try:
            self._probe()
            reached = True
        finally:
            self._tell(reached)
        return 0

    def _tell(self, serving: bool) -> None:
        if serving is self._serving:
            return  # who watches health is told of changes alone
        self._serving = serving
        self._server.set_serving(serving)
        logger.warning("health is %s", "SERVING again" if serving else "NOT_SERVING")


def health_loop(server: HasHealth, probe: Callable[[], object], poll_seconds: float = POLL_SECONDS) -> WorkerLoop:
    """The worker of `ServiceProcess` that keeps health in step with `probe`, such as `storage.engine.ensure_reachable`.

    A probe must end by itself within seconds, with an error where there is no answer.
    """
    pauses = RetryPolicy(poll_seconds, poll_seconds)  # an end of the trouble is seen as soon as its beginning
    return WorkerLoop("health", Readiness(server, probe).run_once, poll_seconds=poll_seconds, pauses=pauses)
