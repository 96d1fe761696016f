"""What the use cases and workers need of the world: the configuration, providers' APIs, recon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from libs.access import AccessScope
from libs.events import Settlement
from providers.base import ApiQuery, Source

from ..domain.delivery import UploadedFile
from ..domain.errors import SourceUnknown
from ..domain.source import SourceAccount


class Accounts(Protocol):
    """The configured sources."""

    def find(self, provider: str, account: str) -> SourceAccount:
        """Raises `SourceUnknown`."""

    def all(self) -> Sequence[SourceAccount]: ...


def source_of(accounts: Accounts, provider: str, account: str) -> Source:
    """The source as it is configured; without company where it is configured no more."""
    with suppress(SourceUnknown):
        return accounts.find(provider, account).source
    return Source(provider, account, "")


def configured(accounts: Accounts, scope: AccessScope) -> AccessScope:
    """The scope with the sources of its companies alone: the configuration says whose a source is, no row does."""
    if scope.every_company:
        return scope
    sources = [account.source for account in accounts.all()]
    ours = {source.interface for source in sources if scope.allows_company(source.company)}
    return AccessScope(scope.companies, frozenset(filter(scope.allows_interface, ours)))


class ProviderApi(Protocol):
    """A provider's API, authenticated for a source."""

    def fetch(self, source: Source, query: ApiQuery) -> bytes:
        """The answer's exact bytes. Raises `ApiUnavailable` (try again) or `ApiRefused`."""


class ReconImports(Protocol):
    """Raises a `ConcordError`: of a technical kind to be tried again, else the refusal with its reason."""

    def import_statement(self, file: UploadedFile, chunks: Iterable[bytes]) -> None: ...

    def import_settlement_file(self, file: UploadedFile, chunks: Iterable[bytes]) -> None: ...

    def import_settlement(self, settlement: Settlement, delivery: str, transaction_id: str) -> None: ...
