"""What a provider is to Concord: small Protocols, of which only the first is a must."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from libs.events import Settlement

from ..domain.delivery import Delivery, Translation
from ..domain.source import Source

Headers = Mapping[str, str]  # lower-case names


@dataclass(frozen=True, slots=True)
class Identified:
    """What a proved body says it is. `id` is empty where the signed bytes hold none: then the digest stands in."""

    id: str
    type: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """A source's live signing secrets: one, or two while they are rotated. Never printed."""

    values: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Secrets({len(self.values)})"


class Provider(Protocol):
    """Turns one provider's deliveries into canonical events. Keeps no state."""

    name: str
    translator: str  # with its version, for example `stripe/1`; recorded in each event's provenance

    def verify(self, headers: Headers, body: bytes, now: datetime) -> None:
        """Raise `SignatureRefused` unless the provider sent these exact bytes."""

    def identify(self, headers: Headers, body: bytes) -> Identified:
        """Read a proved body just far enough to store it; raises `FormatError` or `ShapeInvalid` to refuse it."""

    def translate(self, delivery: Delivery) -> Translation:
        """The events told of, oldest first; none if it concerns no money. Pure.

        Raises `FormatError`, `ShapeInvalid` or another `ConcordError` where nothing of it can be read.
        """

    def fingerprint(self, body: bytes) -> str:
        """Hash of the body's field paths and types: it changes when the provider changes its shape."""


ProviderFactory = Callable[[Secrets], Provider]


@dataclass(frozen=True, slots=True)
class Query:
    """One GET of a provider's API."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Where a fetched page stands in its list. `newest` is None for an empty page."""

    newest: datetime | None
    last_id: str
    has_more: bool


@runtime_checkable
class Polls(Protocol):
    """A provider whose movements can be listed: the safety net under its webhooks."""

    page_type: str  # a stored page's delivery type

    def movements(self, since: datetime, after: str) -> Query:
        """The page of movements made at or after `since`, newest first, that follows the id `after` (or the first)."""

    def page(self, body: bytes) -> Page:
        """Raises `FormatError` or `ShapeInvalid`."""


@runtime_checkable
class Settles(Protocol):
    """A provider that tells which movements a payout pays out."""

    payout_type: str
    composition_type: str

    def payout(self, payout_id: str) -> Query: ...

    def composition(self, payout_id: str, after: str) -> Query: ...

    def is_composed(self, payout_body: bytes) -> bool:
        """Whether the provider has settled which movements belong to it."""

    def lists_composition(self, payout_body: bytes) -> bool:
        """False where the provider does not say which movements a payout pays, and refuses to be asked."""

    def settlement(self, source: Source, payout_body: bytes, pages: Sequence[bytes]) -> Settlement:
        """The payout with all its lines. Pure; raises `FormatError` or `ShapeInvalid`."""
