"""A partner's account that deliveries come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Whose books a provider's account feeds. `livemode` None takes both: for a look at a file, never for books."""

    provider: str
    account: str
    company: str
    livemode: bool | None = True

    @property
    def name(self) -> str:
        return f"sources/{self.provider}/accounts/{self.account}"

    @property
    def interface(self) -> str:
        return f"{self.provider}/{self.account}"


@dataclass(frozen=True, slots=True)
class PollPlan:
    """How often a source is asked, from when on, and how far a deep window reaches back over the last one.

    The overlap catches movements that the provider shows later than it dates them. Not every window is deep: each
    page is kept, and an hour's pages are all new ones as soon as one movement is.
    """

    interval_seconds: float = 60.0
    overlap_seconds: int = 3600
    since: int = 0  # Unix seconds
