"""The configured sources, by provider and account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from libs.access import EVERY, AccessScope
from providers import PROVIDERS
from providers.base import Polls, Source

from .config import SourceConfig
from .domain.errors import SourceUnknown
from .domain.source import SourceAccount

# In a token, which is half as long again and may have 4096.
COMPANIES_CHARACTERS = 600
SOURCES_CHARACTERS = 1800


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

    def scope(self) -> AccessScope:
        """What the gateway itself may touch elsewhere: these sources, and the companies whose they are.

        A token has to fit a header: of very many, it names all companies, and all sources of their providers.
        """
        sources = [found.source for found in self._accounts.values()]
        companies = {source.company for source in sources}
        interfaces = {source.interface for source in sources}
        if _characters(companies) > COMPANIES_CHARACTERS:
            companies = {EVERY}
        if _characters(interfaces) > SOURCES_CHARACTERS:
            interfaces = {f"{source.provider}/{EVERY}" for source in sources}
        return AccessScope.of(companies, interfaces)

    def unpolled(self) -> Sequence[Source]:
        """Those whose provider lists movements that nobody asks for: their webhooks alone post no money."""
        found = self._accounts.values()
        return [account.source for account in found if isinstance(account.provider, Polls) and account.poll is None]


def _characters(names: Iterable[str]) -> int:
    return sum(len(name) + len('"",') for name in names)
