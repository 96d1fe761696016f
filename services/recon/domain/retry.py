"""How often technical failures are tried again, and which failures are technical."""

from __future__ import annotations

from libs.errors.retry import RetryPolicy

# Gives up after about a day, so that an outage over a night needs nobody.
BUDGET = RetryPolicy(base_seconds=1.0, cap_seconds=1800.0, max_attempts=100)
