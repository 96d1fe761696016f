"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return as soon as the condition holds. The limit is for what never happens: no test measures speed by it."""
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at, f"did not happen within {seconds:g} s"
        time.sleep(0.002)
