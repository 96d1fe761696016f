"""Partners' own limits, by the process: so many deliveries a minute, counted in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from providers.base import Source

WINDOW_SECONDS = 60.0


class PartnerLimits:
    """Takes one from a source's share. Each process counts for itself, so n processes let n times as much in.

    For one event loop: nothing here waits, locks or starts a thread, since every delivery passes.
    """

    def __init__(self, deliveries_per_minute: Mapping[str, int], seconds: Callable[[], float] = time.monotonic) -> None:
        """By `{provider}/{account}`; a source that is not named has no limit. `seconds` is a clock that only grows."""
        self._limits = dict(deliveries_per_minute)
        self._seconds = seconds
        self._windows: dict[str, tuple[float, int]] = {}  # source → when its minute began, taken in it

    def take(self, source: Source) -> int:
        """0 if one more may come, else the whole seconds until the next minute begins."""
        limit = self._limits.get(source.interface)
        if limit is None:
            return 0
        now = self._seconds()
        began, taken = self._windows.get(source.interface, (now, 0))
        if now - began >= WINDOW_SECONDS:
            began, taken = now, 0
        if taken >= limit:
            return max(1, math.ceil(began + WINDOW_SECONDS - now))
        self._windows[source.interface] = (began, taken + 1)
        return 0
