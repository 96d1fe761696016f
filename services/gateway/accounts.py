"""The configured sources, by provider and account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from providers import PROVIDERS
from providers.base import Polls, Source

from .config import SourceConfig
from .domain.errors import SourceUnknown
from .domain.source import SourceAccount


class ConfiguredAccounts:
    """What the sources file says."""

    def __init__(self, sources: Iterable[SourceConfig]) -> None:
        self._accounts: dict[tuple[str, str], SourceAccount] = {}
        for one in sources:
            registration = PROVIDERS.get(one.source.provider)
            provider = registration.new(one.secrets) if registration else None
            self._accounts[one.source.provider, one.source.account] = SourceAccount(one.source, provider, one.poll)

    def find(self, provider: str, account: str) -> SourceAccount:
        found = self._accounts.get((provider, account))
        if found is None:
            raise SourceUnknown
        return found

    def all(self) -> Sequence[SourceAccount]:
        return list(self._accounts.values())

    def unpolled(self) -> Sequence[Source]:
        """Those whose provider lists movements that nobody asks for: their webhooks alone post no money."""
        found = self._accounts.values()
        return [one.source for one in found if isinstance(one.provider, Polls) and one.poll is None]
