"""What the use cases and workers need of the world. `storage` and `adapters` fulfil it.

A posting worker's round, in three commits around its calls to Odoo:

    with new_uow() as uow:                                   # 1. the attempt is recorded before a byte leaves
        claimed = uow.postings.claim_to_post(company, limit=100, owner=me, now=clock(), lease_seconds=120)
        uow.commit()
    with new_uow() as uow:                                   # 2. before each call to Odoo
        kept = uow.postings.renew(claimed, now=clock(), lease_seconds=120); uow.commit()
    with new_uow() as uow:                                   # 3. what became of each
        made = uow.postings.apply([Change(before=p, after=replace(p, state=POSTED, …), actor=me), …], now=clock())
        uow.commit()                                         # keys not in `made` were another worker's by then

`tries > 1` of a claimed posting says that an earlier attempt was made: look before you write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from libs.events import Event, Reference
from libs.trail import Trail

from ..domain.changes import PostingChange
from ..domain.errors import EventConflict
from ..domain.master import Masters, Ref
from ..domain.match import AppliedMatch
from ..domain.posting import CaseState, Change, Doubt, EventState, ExceptionCase, Posting, RecordedEvent
from ..domain.states import PostingState
from ..domain.story import Story
from ..domain.view import DocumentView


class Masterdata(Protocol):
    """Who answers what the rules ask. Raises a `ConcordError` of a technical kind when it can't answer now."""

    def resolve(self, company: str, refs: Sequence[Ref]) -> Masters:
        """The answer to each question, all of one revision; what is not known is `Unresolved`."""
        ...


@dataclass(frozen=True, slots=True)
class Recording:
    """One event to record, who brings it, and the trace context that it came with."""

    event: Event  # with the transaction id that it gets if it proves new
    told_id: str  # the transaction id that the caller named; may be empty
    digest: str
    recorded_by: str
    traceparent: str
    state: EventState
    build_due: bool


@dataclass(frozen=True, slots=True)
class NewPosting:
    """A posting that does not exist yet, the states it passes on its way, what it waits for, and a doubt about it."""

    posting: Posting
    through: tuple[PostingState, ...] = ()
    predecessors: tuple[str, ...] = ()
    doubt: Doubt | None = None


@dataclass(slots=True)
class Committed:
    """What one transaction did: told to a listener once it is durable."""

    queues: set[str] = field(default_factory=set)  # those that got work: `build`, `post`, `match`, `seal`
    recorded: list[tuple[RecordedEvent, bool]] = field(default_factory=list)  # new ones; whether the caller named an id
    repeated: list[Event] = field(default_factory=list)
    created: list[NewPosting] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    postponed: list[tuple[Event, str]] = field(default_factory=list)  # to be built again, and the failure's reason


@dataclass(frozen=True, slots=True)
class BuiltEvent:
    """What building made of an event (`event.claim` guards it)."""

    event: RecordedEvent
    state: EventState
    due_at: datetime | None  # when to build again; None: done
    mapping_revision: int | None
    hold_until: datetime | None = None
    keep_attempts: bool = False


@dataclass(frozen=True, slots=True)
class PostingQuery:
    """Which postings to list; each empty field lets everything through."""

    company: str
    states: tuple[PostingState, ...] = ()
    transaction_id: str = ""
    event: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The first answer to a request."""

    fingerprint: str
    posting: Posting


After = tuple[str, str]  # the last row's time and key


class EventStore(Protocol):
    def record(self, recordings: Sequence[Recording], now: datetime) -> list[RecordedEvent | EventConflict]:
        """Store each event once; an answer an event, in order. What a repeat adds to a known event is merged."""
        ...

    def find(self, names: Sequence[str]) -> dict[str, RecordedEvent]: ...

    def get(self, name: str) -> RecordedEvent:
        """Raises `EventUnknown`. Holds the keys of its postings."""
        ...

    def claim_to_build(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[RecordedEvent]: ...

    def renew(self, events: Sequence[RecordedEvent], *, now: datetime, lease_seconds: float) -> list[RecordedEvent]:
        """Those that are still ours, with their new claim; locked until the transaction ends."""
        ...

    def built(self, outcomes: Sequence[BuiltEvent], now: datetime, *, failure: str = "") -> set[str]:
        """End the claims; the names of the events that were still ours.

        `failure` is the reason of a technical failure, for which they are built again.
        """
        ...

    def release(self, events: Sequence[RecordedEvent], *, now: datetime, at: datetime) -> None:
        """Give claimed events back untried."""
        ...

    def build_again(self, names: Sequence[str], now: datetime) -> None:
        """Put events into the build queue, with a new budget."""
        ...


class Stories(Protocol):
    def lock(self, companies: Sequence[str]) -> None:
        """One builder of a company at a time, until the transaction ends: builds read each other's documents."""
        ...

    def of(self, events: Sequence[Event]) -> dict[str, Story]:
        """Each event's story, by its name; without documents of the event itself."""
        ...

    def merge(self, company: str, label: str, others: Sequence[str], now: datetime) -> None:
        """Bring the postings of other stories under one label; what is posted of them is to be reconciled together."""
        ...

    def wake(self, company: str, events: Sequence[str], now: datetime) -> None:
        """Build the waiting ones among the events again: something of their story has arrived."""
        ...


class PostingStore(Protocol):
    def get(self, company: str, key: str, *, lock: bool = False) -> Posting:
        """Raises `PostingUnknown`. `lock` keeps others from changing it until the transaction ends."""
        ...

    def find(self, keys: Sequence[str]) -> dict[str, Posting]: ...

    def of_events(self, events: Sequence[str]) -> dict[str, list[Posting]]: ...

    def of_group(self, company: str, ar_group: str) -> list[Posting]:
        """A story's postings, oldest first."""
        ...

    def page(self, query: PostingQuery, size: int, after: After | None) -> list[Posting]:
        """Oldest first, at most `size`."""
        ...

    def create(self, postings: Sequence[NewPosting], now: datetime) -> None:
        """Raises `StorageConflict` where a key exists. HELD ones are READY at once if nothing blocks them."""
        ...

    def apply(
        self, changes: Sequence[Change], now: datetime, *, predecessors: Mapping[str, Sequence[str]] | None = None
    ) -> set[str]:
        """Make the changes with all that belongs to them: audit entries, totals, outbox, exception cases, and the
        promotion of followers of what became POSTED. Returns the keys that were changed; a key is left out where the
        claim was lost, or the posting changed since it was read.

        Raises `TransitionForbidden`.
        """
        ...

    def blocked(self, keys: Sequence[str]) -> set[str]:
        """Those of the postings that wait for a predecessor which is not posted; the predecessors are locked."""
        ...

    def companies_to_post(self) -> list[str]:
        """Companies with postings in the posting queue."""
        ...

    def next_to_post(self, company: str, now: datetime) -> str | None:
        """The document type of what is due first."""
        ...

    def claim_to_post(
        self, company: str, *, limit: int, owner: str, now: datetime, lease_seconds: float, document_type: str = ""
    ) -> list[Posting]:
        """Take what is due, interactive first, as POSTING with one more try; of one document type, if one is named."""
        ...

    def claim_held(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[Posting]: ...

    def renew(self, postings: Sequence[Posting], *, now: datetime, lease_seconds: float) -> list[Posting]:
        """Those that are still ours, with their new claim."""
        ...


class CaseStore(Protocol):
    def page(self, company: str, state: CaseState | None, size: int, after: After | None) -> list[ExceptionCase]: ...

    def open(self, cases: Sequence[ExceptionCase]) -> None:
        """Opens each case unless its subject has an open one of the same reason."""
        ...

    def resolve(self, subjects: Sequence[str], resolution: str, now: datetime) -> None: ...


class RequestStore(Protocol):
    def begin(self, request_id: str, fingerprint: str, now: datetime) -> Answered | None:
        """None: nobody asked before, and nobody else can until this transaction ends. Else the first answer."""
        ...

    def answer(self, request_id: str, posting: Posting) -> None:
        """What a repeat will get."""
        ...


class MatchStore(Protocol):
    """Confirmed matches on their way to Odoo."""

    def add(self, match: AppliedMatch, now: datetime) -> AppliedMatch:
        """Store it, or give back the stored one of the same name (compare the fingerprints)."""
        ...

    def get(self, name: str) -> AppliedMatch:
        """Raises `MatchUnknown`."""
        ...

    def of_postings(self, keys: Sequence[str]) -> list[AppliedMatch]:
        """Matches that name any of the postings, as anchor or member."""
        ...

    def companies_due(self) -> list[str]: ...

    def claim(
        self, company: str, *, limit: int, owner: str, now: datetime, lease_seconds: float
    ) -> list[AppliedMatch]: ...

    def renew(self, match: AppliedMatch, *, now: datetime, lease_seconds: float) -> AppliedMatch | None:
        """The match with its new claim, or None if it is not ours any more."""
        ...

    def take_up(self, match: AppliedMatch, now: datetime, actor: str) -> AppliedMatch:
        """Into the queue again, with a new budget: for what is an exception or parked."""
        ...

    def finish(self, outcomes: Sequence[tuple[AppliedMatch, AppliedMatch]], now: datetime, actor: str) -> set[str]:
        """(before, after) each; ends the claims. Returns the names that were still ours."""
        ...


class StoryQueueStore(Protocol):
    """Stories in which something was posted since they were last reconciled."""

    def due(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Company and label of the stories whose turn it is, oldest first."""
        ...

    def take(self, company: str, labels: Sequence[str], now: datetime, until: datetime) -> list[str]:
        """Claim stories until then; those whose turn it still was."""
        ...

    def renew(self, company: str, labels: Sequence[str], until: datetime, anew: datetime) -> set[str]:
        """Keep the claims that last until then; the stories still ours."""
        ...

    def postpone(self, company: str, label: str, at: datetime) -> None: ...

    def is_held(self, company: str, label: str, until: datetime) -> bool:
        """Whether nobody has put the story off anew since we did, until then."""
        ...

    def done(self, keys: Sequence[str], until: datetime) -> None:
        """Of what is put off until then."""
        ...

    def exchanged(self, company: str, cause: str, entries: Sequence[DocumentView], now: datetime) -> None:
        """Keep the exchange entries that Odoo made; one already known stays with its first cause."""
        ...

    def posted(self, company: str, label: str) -> list[Posting]:
        """The story's posted postings, oldest first."""
        ...


class ChangeStream(Protocol):
    """Every change of a posting, numbered."""

    def last_number(self) -> int:
        """The highest number that a change of any company has; 0 if there is none."""
        ...

    def after(self, company: str, number: int, limit: int) -> list[PostingChange]:
        """Changes of postings after a sealed number, in their one order."""
        ...


class LedgerUow(Protocol):
    """One transaction."""

    @property
    def events(self) -> EventStore: ...
    @property
    def stories(self) -> Stories: ...
    @property
    def postings(self) -> PostingStore: ...
    @property
    def cases(self) -> CaseStore: ...
    @property
    def requests(self) -> RequestStore: ...
    @property
    def matches(self) -> MatchStore: ...
    @property
    def trail(self) -> Trail: ...
    @property
    def changes(self) -> ChangeStream: ...
    @property
    def story_queue(self) -> StoryQueueStore: ...

    def commit(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class NewUow(Protocol):
    """Makes a transaction; `read_only` ones see one moment and block nobody."""

    def __call__(self, *, read_only: bool = False) -> LedgerUow: ...


__all__ = [
    "Answered",
    "BuiltEvent",
    "CaseStore",
    "Committed",
    "EventStore",
    "LedgerUow",
    "Masterdata",
    "MatchStore",
    "NewPosting",
    "NewUow",
    "PostingQuery",
    "PostingStore",
    "Recording",
    "Reference",
    "RequestStore",
    "Stories",
    "Story",
]
