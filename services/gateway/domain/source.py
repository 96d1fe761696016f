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
