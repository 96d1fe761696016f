"""What a provider is to Concord: one registration, and small Protocols of which only `Provider` is a must.

Everything here reads and answers; nothing keeps state, and nothing but `libs.formats` and the values is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import Enum
from typing import BinaryIO, Protocol, runtime_checkable

from libs.events import Channel, Event, Provenance, Settlement
from libs.formats.heads import stripped
from libs.money import Money

Headers = Mapping[str, str]  # lower-case names


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
class Delivery:
    """The stored bytes and what is known of them. `type` is a claim unless the signed bytes say it."""

    source: Source
    channel: Channel
    id: str  # from the signed bytes: the provider's own id, else the body's digest
    type: str
    body: bytes
    sha256: str
    received_at: datetime
    transaction_id: str

    @property
    def name(self) -> str:
        return delivery_name(self.source, self.id)

    def provenance(self, translator: str, object_type: str, object_id: str, **more: str) -> Provenance:
        """Where an event that this delivery tells of came from."""
        return Provenance(
            source_system=self.source.provider,
            source_account=self.source.account,
            source_object_type=object_type,
            source_id=object_id,
            received_at=self.received_at,
            channel=self.channel,
            delivery=self.name,
            raw_sha256=self.sha256,
            translator=translator,
            **more,
        )


def delivery_name(source: Source, delivery_id: str) -> str:
    return f"{source.name}/deliveries/{delivery_id}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a delivery that could not be understood: a stable reason, and where."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Translation:
    """What a delivery tells. Without events it says why it is ignored, or has problems.

    A problem quarantines the delivery; the events beside it are sound and go on.
    """

    events: tuple[Event, ...] = ()
    ignored: str = ""
    problems: tuple[Problem, ...] = ()
    wakes_poll: bool = False
    payouts: tuple[str, ...] = ()  # payouts whose composition can be asked for


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
    translator: str  # with its version: `NAME/1`; recorded in each event's provenance

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


@dataclass(frozen=True, slots=True)
class ApiQuery:
    """One GET of a provider's API."""

    path: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where a fetched page stands in its list. `newest` is None for an empty page."""

    newest: datetime | None
    last_id: str
    has_more: bool


@runtime_checkable
class Polls(Protocol):
    """A provider whose movements can be listed: the safety net under its webhooks."""

    page_type: str  # a stored page's delivery type

    def movements(self, since: datetime, after: str) -> ApiQuery:
        """The page of movements made at or after `since`, newest first, that follows the id `after` (or the first)."""

    def page(self, body: bytes) -> ListPlace:
        """Raises `FormatError` or `ShapeInvalid`."""


@runtime_checkable
class ComposesPayouts(Protocol):
    """A provider that tells which movements a payout pays out."""

    payout_type: str
    composition_type: str

    def payout(self, payout_id: str) -> ApiQuery: ...

    def composition(self, payout_id: str, after: str) -> ApiQuery: ...

    def is_composed(self, payout_body: bytes) -> bool:
        """Whether the provider has settled which movements belong to it."""

    def lists_composition(self, payout_body: bytes) -> bool:
        """False where the provider does not say which movements a payout pays, and refuses to be asked."""

    def settlement(self, source: Source, payout_body: bytes, pages: Sequence[bytes]) -> Settlement:
        """The payout with all its lines. Pure; raises `FormatError` or `ShapeInvalid`."""


@dataclass(frozen=True, slots=True)
class ApiDialect:
    """How a provider's API is spoken to. It is only read."""

    base_url: str
    headers: Callable[[str], Mapping[str, str]]  # of a request, by the account's key
    key_livemode: Callable[[str], bool | None] = lambda key: None  # None where a key does not say
    busy: frozenset[int] = frozenset({409, 429})  # statuses that say "later", beside all from 500 on


class Presentment(Enum):
    """Whether a reported movement says what the customer paid or got back."""

    STATED = "stated"  # or there is no customer
    ASSUMED = "assumed"  # the amount itself, which is wrong where the report has conversions
    MISSING = "missing"


class LineRole(Enum):
    """What a reported movement is to the payout that it names."""

    PAID = "paid"  # the payout pays it
    PAYOUT = "payout"  # it is the payout, whose amount it states
    RETURN = "return"  # the bank sent this payout back
    OTHER_RETURN = "other_return"  # the bank sent another payout back, and this one pays it again


class ReportLine(Protocol):
    """One movement of a settlement report. Amounts are signed as the provider signs them: `fee` is taken from us."""

    @property
    def row(self) -> int:
        """Where it stands in the file, for people."""

    @property
    def balance_transaction(self) -> str: ...

    @property
    def gross(self) -> Money: ...

    @property
    def fee(self) -> Money: ...

    @property
    def net(self) -> Money: ...

    @property
    def settlement_id(self) -> str | None:
        """The payout that pays this movement, or that it is."""

    @property
    def role(self) -> LineRole: ...

    @property
    def payout_effective(self) -> date | None:
        """When the payout arrives, if the line says so."""

    @property
    def presentment(self) -> Presentment: ...

    @property
    def converts(self) -> bool:
        """Whether the customer paid in another currency than the balance's."""

    @property
    def repeated(self) -> bool:
        """Whether the same movement stands further up with the same content."""

    def event(self, delivery: Delivery, transaction_id: str) -> Event:
        """The movement as the same event, with the same digest, that webhook and poll give."""


@dataclass(frozen=True, slots=True)
class SettlementReport:
    """A kind of file in which a provider states what its payouts pay."""

    type: str  # of a delivery, for example `NAME.settlement`
    format: str  # as `concord inspect` prints it
    title: str  # for people
    matches: Callable[[bytes], bool]  # a file that begins so, freed of byte order mark and white space before
    # The lines in order; `tzinfo` is that of times without one. Raises `FormatError`, at the latest at the end: what
    # was yielded before must be thrown away then.
    lines: Callable[[BinaryIO, tzinfo], Iterator[ReportLine]]


@dataclass(frozen=True, slots=True)
class ProviderRegistration:
    """One provider: all that services and commands know of it. Optional powers are Protocols that `new`'s fulfils."""

    name: str
    new: Callable[[Secrets], Provider]
    signature_header: str
    topic_header: str = ""  # lower case; where the body alone does not say what it is
    api: ApiDialect | None = None
    reports: tuple[SettlementReport, ...] = ()

    def report_of(self, head: bytes) -> SettlementReport | None:
        """The report that begins so, else the first, whose reader will say what is wrong; None if there are none."""
        start = stripped(head)
        return next((report for report in self.reports if report.matches(start)), next(iter(self.reports), None))
