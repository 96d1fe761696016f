"""A configured source, how it is polled, and how far its poll has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.service.work import Lease
from providers.base import Provider, Source


@dataclass(frozen=True, slots=True)
class PollPlan:
    """How often a source is asked, from when on, and how far a deep window reaches back over the last one.

    The overlap catches movements that the provider shows later than it dates them. Not every window is deep: each
    page is kept, and an hour's pages are all new ones as soon as one movement is.
    """

    interval_seconds: float = 60.0
    overlap_seconds: int = 3600
    since: int = 0  # Unix seconds


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """A configured source with what reads it; one that only sends files has no provider."""

    source: Source
    provider: Provider | None = None
    poll: PollPlan | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source's poll has come.

    A window is open while its pages are fetched: it begins at `since`, `after` is the last id seen, `newest` the newest
    movement. Closed, `position` is the newest movement that is known for certain, and `since` is where the next deep
    window begins, before it.
    """

    source: str  # `{provider}/{account}`
    position: int  # Unix seconds
    since: int
    after: str
    newest: int
    wakes: int
    polled_at: datetime | None = None
    attempts: int = 0
    lease: Lease | None = None
