"""When a technical failure is tried again: backoff with full jitter, within a budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often technical failures are retried, and how far apart (full jitter, growing by two)."""

    base_seconds: float = 1.0
    cap_seconds: float = 300.0
    max_attempts: int = 12

    def pause(self, attempts: int, rng: Random) -> float:
        """Seconds to wait after `attempts` tries."""
        return backoff(attempts, rng, self.base_seconds, self.cap_seconds)

    def next_try(self, attempts: int, now: datetime, rng: Random) -> datetime | None:
        """When to try again after `attempts` tries, or None if the budget is spent and the work must be parked."""
        if attempts >= self.max_attempts:
            return None
        return now + timedelta(seconds=self.pause(attempts, rng))


def backoff(attempt: int, rng: Random, base_seconds: float, cap_seconds: float) -> float:
    """Seconds to wait after the given attempt (from 1): anything up to base × 2^(attempt-1), at most the cap."""
    return rng.random() * min(cap_seconds, base_seconds * 2.0 ** min(max(attempt, 1) - 1, 60))


# Gives up after about a day, so that an outage over a night needs nobody.
OVERNIGHT = RetryPolicy(base_seconds=1.0, cap_seconds=1800.0, max_attempts=100)
