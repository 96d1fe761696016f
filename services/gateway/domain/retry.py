"""How often technical failures are tried again, and how far apart."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """Pauses double from `base_seconds` to `cap_seconds`, each shortened at random by up to half.

    The default gives up after about a day, so that an outage over a night needs nobody.
    """

    base_seconds: float = 1.0
    cap_seconds: float = 900.0
    max_attempts: int = 100

    def next_try(self, attempts: int, now: datetime, rng: random.Random) -> datetime | None:
        """When to try again after `attempts` tries, or None if the budget is spent."""
        if attempts >= self.max_attempts:
            return None
        seconds = min(self.cap_seconds, self.base_seconds * 2.0 ** min(max(attempts, 1) - 1, 40))
        return now + timedelta(seconds=seconds * (1 - rng.random() / 2))
