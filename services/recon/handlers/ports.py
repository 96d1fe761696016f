"""What the use cases and workers need of the world. `storage` and `adapters` fulfil it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from libs.events import Event, Settlement

from ..domain.files import FileKind, FileToImport, ImportedFile, Statement, StatementEntry
from ..domain.items import BankItem, Target
from ..domain.learning import Item
from ..domain.match import Difference, DifferenceState, Match, MatchState
from ..domain.outcome import Result
from ..domain.settlement import StoredSettlement
from ..domain.walk import ControlTotal, NewEvent, OutboundEvent, OutboundMatch, Progress, QueueLength, Step

After = tuple[str, str]  # the last row's time and name


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """What became of a claimed event: recorded, refused or parked. With `retry_at` it waits until then."""

    stored: OutboundEvent
    state: str
    reason: str = ""
    count: bool = False  # it was handed on by us, for the first time
    alias_of: str = ""  # the transaction id that the ledger knew it by
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """What became of a claimed match. With `retry_at` it is asked for again then."""

    stored: OutboundMatch
    state: MatchState
    reason: str = ""
    written_at: datetime | None = None
    retry_at: datetime | None = None
    fresh_budget: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One side of a match: which role of which posting it closes."""

    posting: str
    role: str
    transaction_id: str


@dataclass(frozen=True, slots=True)
class NewMatch:
    match: Match
    company: str
    anchor: Member
    members: tuple[Member, ...]
    traceparent: str = ""
    settlement: str = ""  # the settlement's name, where it proves one


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a bank line matched nothing; an empty reason takes an old verdict back."""

    posting: str
    reason: str
    nearest: str = ""
    nearest_lacks: str = ""


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """A match with what belongs to it."""

    match: Match
    company: str
    anchor: Member
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered before."""

    fingerprint: str
    difference: Difference


class FileStore(Protocol):
    def find(self, company: str, sha256: str) -> ImportedFile | None:
        """The first answer, marked as a duplicate; None for bytes never seen."""

    def origin(self, company: str, sha256: str) -> str:
        """The transaction under which the bytes came first; empty if they never came."""

    def add(self, file: FileToImport, kind: FileKind, answer: ImportedFile, now: datetime) -> bool:
        """False where the bytes were imported meanwhile."""


class StatementStore(Protocol):
    def add(self, statements: Sequence[Statement]) -> None: ...

    def add_entries(self, entries: Sequence[StatementEntry]) -> None: ...

    def get(self, name: str) -> Statement:
        """Raises `StatementUnknown`."""

    def untied(self, company: str) -> list[Statement]:
        """Those whose balances contradict their lines, and that no later copy corrects."""

    def copies(self, statement: Statement, besides: Sequence[str]) -> dict[str, list[str]]:
        """The same statement as it came before, by name, each with the events of its lines that are not in this one.

        `besides` are statements that did not come before.
        """

    def retold(self, statement: Statement, besides: Sequence[str]) -> list[str]:
        """Names of those that came before with its number and the balance that it opens with."""

    def told(self, names: Sequence[str], events: Sequence[str]) -> set[tuple[str, str]]:
        """(statement, event) of those of the events that stand in the statements."""

    def event_of(self, name: str, sequence: int) -> str:
        """The event that a booked line became; empty if there is none."""

    def page(self, company: str, size: int, after: After | None) -> list[Statement]:
        """Oldest first."""


class OutboundStore(Protocol):
    def add(self, events: Sequence[NewEvent], now: datetime) -> dict[str, bool]:
        """Store those whose name is new; by name, whether it is new. A known one of another digest is not stored."""

    def conflicts(self, events: Sequence[NewEvent]) -> set[str]:
        """Names that are known with another digest."""

    def find(self, names: Sequence[str]) -> list[Event]:
        """Those that are stored, by name."""

    def requeue(self, origin: str, now: datetime) -> int:
        """Parked and refused events of a file, to be handed on again."""

    def claim(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[OutboundEvent]: ...

    def finish(self, outcomes: Sequence[EventOutcome], now: datetime) -> set[str]:
        """Names of those that were still ours, with audit, control totals and aliases."""

    def failed(self, company: str) -> list[OutboundEvent]:
        """Refused and parked ones."""


class SettlementStore(Protocol):
    def find(self, name: str) -> StoredSettlement | None:
        """Locked until the transaction ends."""

    def save(self, stored: StoredSettlement, known: StoredSettlement | None, now: datetime) -> None: ...

    def get(self, name: str) -> StoredSettlement:
        """Raises `SettlementUnknown`."""

    def page(self, company: str, size: int, after: After | None) -> list[tuple[After, StoredSettlement]]:
        """Oldest first, each with its place."""

    def unmatched(self, company: str) -> list[tuple[datetime, StoredSettlement]]:
        """Those whose payout is not matched with its transactions, with the time they came."""

    def of_payouts(self, company: str, payout_ids: Sequence[str]) -> list[StoredSettlement]: ...

    def done(self, names: Sequence[str], now: datetime, *, proved: bool) -> None:
        """Nothing more is to be matched; `proved` by a match to the cent."""


class ItemStore(Protocol):
    def learn(self, items: Sequence[Item]) -> int:
        """Take over what is newer than what is known; how many were."""

    def find(self, keys: Sequence[str]) -> dict[str, Item]: ...

    def open_side(self, company: str) -> list[Item]:
        """Bank lines, payouts and invoices that wait for a counterpart and are in no match."""

    def of_transactions(self, company: str, interface: str, ids: Sequence[str]) -> dict[str, list[Item]]: ...

    def payouts_of(self, company: str, interface: str, payout_ids: Sequence[str]) -> dict[str, list[Item]]:
        """Payout items by the payout's id."""

    def verdicts(self, verdicts: Sequence[Verdict]) -> int:
        """How many of them are news."""

    def undecided(self, company: str) -> list[Item]:
        """Open bank lines with a verdict."""

    def open_receipts(self, company: str) -> list[Item]: ...


class MatchStore(Protocol):
    def add(self, matches: Sequence[NewMatch], now: datetime) -> None:
        """Raises `StorageConflict` where a side is in another match."""

    def get(self, name: str) -> StoredMatch:
        """Raises `MatchUnknown`."""

    def page(self, company: str, transaction_id: str, size: int, after: After | None) -> list[Match]:
        """Oldest first."""

    def of_posting(self, company: str, posting: str) -> list[StoredMatch]: ...

    def taken(self, postings: Sequence[str], role: str) -> set[str]:
        """Those whose role is in a match."""

    def generations(self, company: str, anchors: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """How many matches each (type, anchor) has had that were undone."""

    def claim(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[OutboundMatch]: ...

    def finish(self, outcomes: Sequence[MatchOutcome], now: datetime) -> set[str]:
        """Names of those that were still ours."""

    def failing(self, company: str) -> list[StoredMatch]:
        """Confirmed ones that the ledger could not write."""

    def undo(self, names: Sequence[str], reason: str, now: datetime) -> None: ...


class DifferenceStore(Protocol):
    def get(self, name: str) -> Difference:
        """Raises `DifferenceUnknown`."""

    def live(self, company: str) -> list[Difference]:
        """Neither resolved nor written off."""

    def find(self, names: Sequence[str]) -> dict[str, Difference]: ...

    def save(self, company: str, changes: Sequence[tuple[Difference | None, Difference]], actor: str) -> None:
        """(before, after) each, guarded by the version before. Raises `DifferenceChanged`, `TransitionForbidden`."""

    def page(self, company: str, state: DifferenceState | None, size: int, after: After | None) -> list[Difference]:
        """Oldest first."""

    def of_subject(self, company: str, subject: str) -> Difference | None: ...

    def about(self, company: str, statements: Sequence[str]) -> list[Difference]:
        """Live ones that doubt one of the statements, or a line of it."""


class ProgressStore(Protocol):
    def ensure(self, companies: Iterable[str]) -> None: ...

    def companies(self) -> list[str]: ...

    def get(self, company: str) -> Progress: ...

    def news(self, company: str) -> None:
        """Something changed: there may be more to match."""

    def learned(self, company: str, token: str, new_token: str) -> bool:
        """Move on; false where another worker did."""

    def matched(self, company: str, changes: int, due_at: datetime | None) -> None: ...

    def differenced(self, company: str, changes: int, due_at: datetime | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Banked:
    """A payout's bank match, and the transactions that the payout paid out."""

    payout: str
    match: str
    traceparent: str
    transactions: tuple[str, ...]


class WalkReader(Protocol):
    def steps(self, transaction_id: str) -> tuple[str, list[Step]]:
        """The transaction that the id stands for, and its steps, oldest first."""

    def totals(self, company: str) -> list[ControlTotal]: ...

    def banked(self, payouts: Sequence[str]) -> list[Banked]:
        """Of payouts (keys) that are matched both with their transactions and with the bank."""

    def unmatched_lines(self) -> dict[tuple[str, str], int]:
        """Open bank lines by company and interface."""

    def queues(self, now: datetime) -> list[QueueLength]: ...


class RequestStore(Protocol):
    def begin(self, request_id: str, fingerprint: str, now: datetime) -> Answered | None:
        """The first answer; None where the id is new, and it is ours then."""

    def answer(self, request_id: str, difference: Difference) -> None:
        """What a repeat will get."""


class UnitOfWork(Protocol):
    """One transaction."""

    @property
    def files(self) -> FileStore: ...

    @property
    def statements(self) -> StatementStore: ...

    @property
    def outbound(self) -> OutboundStore: ...

    @property
    def settlements(self) -> SettlementStore: ...

    @property
    def items(self) -> ItemStore: ...

    @property
    def matches(self) -> MatchStore: ...

    @property
    def differences(self) -> DifferenceStore: ...

    @property
    def progress(self) -> ProgressStore: ...

    @property
    def walk(self) -> WalkReader: ...

    @property
    def requests(self) -> RequestStore: ...

    def commit(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class NewUnitOfWork(Protocol):
    def __call__(self, *, read_only: bool = False) -> UnitOfWork: ...


ImportFile = Callable[[FileToImport, Iterable[bytes]], ImportedFile]
ImportSettlement = Callable[[Settlement, str, str], StoredSettlement]
Matcher = Callable[[Sequence[BankItem], Sequence[Target]], Result]


class TraceStep(Protocol):
    """A span, or nothing."""

    @property
    def traceparent(self) -> str: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


Attributes = Mapping[str, str | bool | int]


PutBack = Callable[[str, str, str], object]  # told of each technical failure that is tried again


def uncounted(company: str, interface: str, reason: str) -> None:
    """A `PutBack` where nobody counts. The interface is empty for a match: it joins several."""


class Tracing(Protocol):
    """`libs.telemetry.Tracer` fulfils it."""

    def transaction(
        self, name: str, transaction_id: str, attributes: Attributes | None = None, *, links: Sequence[str] = ()
    ) -> TraceStep: ...

    def step(
        self,
        name: str,
        transaction_id: str,
        traceparent: str | None = None,
        attributes: Attributes | None = None,
        *,
        links: Sequence[str] = (),
    ) -> TraceStep: ...

    def join(
        self,
        name: str,
        matched: Iterable[tuple[str, str | None]],
        statement_traceparent: str | None,
        attributes: Attributes | None = None,
    ) -> None: ...
