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
        for source in sources:
            registration = PROVIDERS.get(source.source.provider)
            provider = registration.new(source.secrets) if registration else None
            self._accounts[source.source.provider, source.source.account] = SourceAccount(
                source.source, provider, source.poll
            )

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
        return [account.source for account in found if isinstance(account.provider, Polls) and account.poll is None]
