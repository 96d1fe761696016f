"""How a source is polled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PollPlan:
    """How often a source is asked, from when on, and how far a deep window reaches back over the last one.

    The overlap catches movements that the provider shows later than it dates them. Not every window is deep: each
    page is kept, and an hour's pages are all new ones as soon as one movement is.
    """

    interval_seconds: float = 60.0
    overlap_seconds: int = 3600
    since: int = 0  # Unix seconds
