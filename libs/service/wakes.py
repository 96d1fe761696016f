"""How one worker learns that another, or a call, has made work for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

RunOnce = Callable[[], int]  # gives how much was done
P = ParamSpec("P")
Done = TypeVar("Done")


class Wakes:
    """An event a worker, by its name: call it with those that have work."""

    def __init__(self) -> None:
        self._events: dict[str, threading.Event] = {}

    def __call__(self, *workers: str) -> None:
        for worker in workers:
            self.of(worker).set()

    def of(self, worker: str) -> threading.Event:
        """What the worker waits for."""
        return self._events.setdefault(worker, threading.Event())

    def after(self, work: Callable[P, Done], followers: Sequence[str]) -> Callable[P, Done]:
        """The same work, which wakes the followers once it has done something."""

        def run(*args: P.args, **kwargs: P.kwargs) -> Done:
            done = work(*args, **kwargs)
            if done:
                self(*followers)
            return done

        return run
