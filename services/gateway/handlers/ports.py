"""What the use cases and workers need of the world. `storage` and `adapters` fulfil it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from libs.events import Settlement
from libs.handover import OutboundEvent
from libs.trail import Trail
from providers.base import Delivery, Provider, Query, Source

from ..domain.delivery import Receipt, State
from ..domain.fact import Cursor, PayoutState, Refusal, StoredDelivery, StoredPayout
from ..domain.source import PollPlan


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """Something to keep: its bytes, or the upload that holds them."""

    delivery: Delivery
    link: str = ""
    upload: str = ""
    body_bytes: int = 0  # of an upload
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What became of a claimed delivery. With `retry_at` it stays as it is and waits until then."""

    stored: StoredDelivery
    state: State
    reason: str = ""
    events: tuple[str, ...] = ()
    waiting_events: int = 0
    schema_fingerprint: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PayoutOutcome:
    stored: StoredPayout
    state: PayoutState
    reason: str = ""
    retry_at: datetime | None = None


class Deliveries(Protocol):
    """The inbox."""

    def add(self, new: Sequence[NewDelivery], now: datetime) -> list[Receipt]:
        """An answer each, in order; a known name gets its first answer."""

    def claim(
        self, *, files: bool, limit: int, owner: str, now: datetime, lease_seconds: float
    ) -> list[StoredDelivery]:
        """Received ones, oldest first, with their bytes (a file's stay where they are)."""

    def finish(self, outcomes: Sequence[DeliveryOutcome], now: datetime) -> set[str]:
        """The transaction ids of those that were still ours; each writes an audit entry."""

    def event_forwarded(self, counts: Mapping[str, int], now: datetime) -> None:
        """So many of a delivery's (by transaction id) events were handed on; the last one moves it on."""

    def set_aside(self, transaction_ids: Sequence[str], state: State, reason: str, now: datetime) -> None:
        """Quarantine or park translated deliveries, one of whose events will not be had or was given up."""

    def get(self, name: str) -> StoredDelivery:
        """Without its bytes. Raises `DeliveryUnknown`."""

    def body(self, transaction_id: str) -> bytes: ...

    def newest(
        self, *, provider: str, account: str, state: State | None, before: str, limit: int
    ) -> list[StoredDelivery]:
        """Newest first, without bytes; empty `provider` and `account` mean any, `before` is a transaction id."""

    def requeue(self, name: str, *, request_id: str, actor: str, now: datetime) -> StoredDelivery:
        """Back to RECEIVED, its parked and refused events and payouts too.

        Raises `DeliveryStateInvalid` or `ReplayConflict`.
        """

    def last_received(self, provider: str, account: str) -> datetime | None: ...


class Events(Protocol):
    def take(self, found: Sequence[OutboundEvent], now: datetime) -> dict[str, OutboundEvent]:
        """Store those whose name is new; the answer has each name as it is stored, the first of them counting.

        A known one with more references than before takes them on and is handed on again.
        """

    def alias(self, pairs: Sequence[tuple[str, str]]) -> None:
        """(alias, transaction id): ids that a 202 named before the event proved known."""


class Payouts(Protocol):
    def add(self, payouts: Sequence[StoredPayout], now: datetime) -> None:
        """Those not known yet."""

    def claim(
        self, state: PayoutState, *, limit: int, owner: str, now: datetime, lease_seconds: float
    ) -> list[StoredPayout]: ...

    def renew(self, payout: StoredPayout, *, now: datetime, lease_seconds: float) -> StoredPayout | None:
        """None if it went to another worker."""

    def composed(self, payout: StoredPayout, settlement: Settlement, delivery: str, now: datetime) -> None:
        """Raises `LeaseLost` if it went to another worker."""

    def finish(self, outcome: PayoutOutcome, now: datetime) -> None: ...


class Cursors(Protocol):
    def ensure(self, sources: Mapping[str, int], now: datetime) -> None:
        """A cursor for each `{provider}/{account}` that has none, beginning at the given Unix seconds."""

    def wake(self, sources: Iterable[str], now: datetime, *, force: bool = False) -> None:
        """Make them due now. One whose API fails keeps its pause, unless forced."""

    def claim(self, *, among: Sequence[str], owner: str, now: datetime, lease_seconds: float) -> Cursor | None:
        """The one of these sources that is due longest. Others may be from a configuration of another day."""

    def finish(self, before: Cursor, after: Cursor, *, polled: bool, at: datetime, now: datetime) -> None:
        """Write the new place; next due `at`, or now if it was woken since. Raises `LeaseLost`."""

    def last_polled(self) -> dict[str, datetime]: ...


class Uploads(Protocol):
    def begin(self, upload: str, now: datetime) -> None: ...

    def append(self, upload: str, number: int, data: bytes) -> None: ...

    def chunk(self, upload: str, number: int) -> bytes | None:
        """The chunks count from 0; None after the last one."""

    def drop(self, upload: str) -> None: ...

    def drop_abandoned(self, begun_before: datetime, limit: int) -> int: ...


class Refusals(Protocol):
    def add(self, refusal: Refusal, *, id: str, now: datetime, keep: int) -> None:  # noqa: A002
        """Keep a sample; of a source's, the newest `keep` stay."""


class UnitOfWork(Protocol):
    """One transaction."""

    @property
    def deliveries(self) -> Deliveries: ...

    @property
    def events(self) -> Events: ...

    @property
    def payouts(self) -> Payouts: ...

    @property
    def cursors(self) -> Cursors: ...

    @property
    def uploads(self) -> Uploads: ...

    @property
    def refusals(self) -> Refusals: ...

    @property
    def trail(self) -> Trail: ...

    def commit(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


NewUnitOfWork = Callable[[], UnitOfWork]


@dataclass(frozen=True, slots=True)
class Account:
    """A configured source with what reads it; one that only sends files has no provider."""

    source: Source
    provider: Provider | None = None
    poll: PollPlan | None = None


class Accounts(Protocol):
    """The configured sources."""

    def find(self, provider: str, account: str) -> Account:
        """Raises `SourceUnknown`."""

    def all(self) -> Sequence[Account]: ...


class ProviderApi(Protocol):
    """A provider's API, authenticated for a source."""

    def fetch(self, source: Source, query: Query) -> bytes:
        """The answer's exact bytes. Raises `ApiUnavailable` (try again) or `ApiRefused`."""


@dataclass(frozen=True, slots=True)
class FileToImport:
    """A file's header for recon."""

    company: str
    interface: str
    delivery: str
    file_name: str
    sha256: str
    received_at: datetime
    transaction_id: str


class Recon(Protocol):
    """Raises a `ConcordError`: of a technical kind to be tried again, else the refusal with its reason."""

    def import_statement(self, file: FileToImport, chunks: Iterable[bytes]) -> None: ...

    def import_settlement_file(self, file: FileToImport, chunks: Iterable[bytes]) -> None: ...

    def import_settlement(self, settlement: Settlement, delivery: str, transaction_id: str) -> None: ...


SetAside = Callable[[Source, str], object]  # told of what a person must look at: whose it is, and the reason
PutBack = Callable[[Source, str], object]  # told of each technical failure that is tried again, likewise


def unobserved(source: Source, reason: str) -> None:
    """A `SetAside` or `PutBack` where nobody watches."""


Fetched = Callable[[Source, Receipt], object]  # told of each answer of a provider's API that was stored


def uncounted(source: Source, receipt: Receipt) -> None:
    """A `Fetched` where nobody counts."""
