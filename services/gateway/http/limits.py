"""Partners' own limits, by the process: a steady rate a minute, counted in memory."""

from __future__ import annotations

import time
from collections.abc import Mapping

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from ..domain.source import Source


class PartnerLimits:
    """Takes one from a source's share. Each process counts for itself, so n processes let n times as much in."""

    def __init__(self, deliveries_per_minute: Mapping[str, int]) -> None:
        """By `{provider}/{account}`; a source that is not named has no limit."""
        self._items = {source: RateLimitItemPerMinute(limit) for source, limit in deliveries_per_minute.items()}
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def take(self, source: Source) -> int:
        item = self._items.get(source.interface)
        if item is None or self._limiter.hit(item, source.interface):
            return 0
        reset_at = self._limiter.get_window_stats(item, source.interface).reset_time
        return max(1, int(reset_at - time.time()) + 1)
