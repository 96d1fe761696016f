"""What the posting workers need of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.document import Document
from ..domain.match import MatchType
from ..domain.states import Reconciliation
from ..domain.view import DocumentView


@dataclass(frozen=True, slots=True)
class Claim:
    """A posting that this worker alone may carry on, until its lease ends.

    `attempts` counts this one; `odoo_id` is set once a `load` was confirmed; `fence` guards every write.
    """

    key: str  # the effect's key
    company: str
    document: Document
    attempts: int
    fence: int
    odoo_id: int | None = None
    transaction_id: str = ""
    traceparent: str = ""


class PostingQueue(Protocol):
    """The queue of postings. Each method is one commit; a claim whose lease was lost changes nothing.

    Methods that change states answer the keys that were still ours.
    """

    def claim(self, now: datetime, limit: int) -> list[Claim]:
        """Take postings that are READY, UNKNOWN and due, or left POSTING by a worker that died; count the attempt.

        All of one company and one document type, oldest first.
        """

    def odoo_ids(self, company: str, effects: Sequence[str]) -> dict[str, int]:
        """Record ids of posted effects: what a credit note reverses."""

    def renew(self, claims: Sequence[Claim], now: datetime) -> set[str]:
        """Keep the leases; the keys still ours."""

    def redated(self, claim: Claim, document: Document, now: datetime) -> set[str]:
        """The document's day moved to an open one, by policy. What a second person signed is not ours any more: the
        new day needs an approval of its own."""

    def loaded(self, ids: Sequence[tuple[Claim, int]], now: datetime) -> set[str]:
        """Odoo confirmed that it holds these; absence from now on is an exception."""

    def unloaded(self, claims: Sequence[Claim], now: datetime) -> set[str]:
        """We are about to remove these drafts ourselves."""

    def posted(self, views: Sequence[tuple[Claim, DocumentView]], now: datetime) -> set[str]:
        """POSTED; followers whose predecessors are all posted become READY in the same commit."""

    def refused(self, claim: Claim, reason: str, text: str, *, technical: bool, held: int, now: datetime) -> set[str]:
        """EXCEPTION with a case: a person must look. `held`: the record that stands in the books all the same."""

    def put_back(self, claims: Sequence[Claim], reason: str, *, unknown: bool, now: datetime) -> set[str]:
        """READY again after a pause, or UNKNOWN where Odoo may have acted; parked once the budget is spent."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A posted document and the Odoo record that it became.

    `version` is the posting's when Odoo was not yet asked: what was changed since has been seen by somebody later.
    """

    key: str
    document: Document
    odoo_id: int
    transaction_id: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reconciliation has left open of a posting: roles of lines that could be closed and are not."""

    reconciliation: Reconciliation
    open_roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """Posted documents joined by references: an order, its captures, refunds and disputes.

    It was put off `until` then, which guards every write: whoever takes it over puts it off anew.
    """

    company: str
    label: str
    booked: tuple[Booked, ...]
    until: datetime


class StoryQueue(Protocol):
    """Stories in which something was posted since they were last reconciled. Each method is one commit; it changes
    nothing if the story is another worker's by now."""

    def claim(self, now: datetime, limit: int) -> list[Story]:
        """Take the stories of the `limit` postings that have waited longest."""

    def renew(self, stories: Sequence[Story], now: datetime) -> list[Story]:
        """Keep the claims long enough for one more call to Odoo; the stories still ours, as they are claimed now."""

    def reconciled(
        self,
        story: Story,
        outcomes: Mapping[str, Outcome],
        moved: Sequence[tuple[Booked, Document]],
        exchanges: Sequence[DocumentView],
        now: datetime,
    ) -> None:
        """Write what is open, make postings of documents that move a receivable, and keep Odoo's exchange entries.

        A posting that was changed since the claim is left as it is, and the story is looked at once more.
        """

    def later(self, story: Story, reason: str, now: datetime) -> None:
        """A technical failure: reconcile again after a pause."""

    def refused(self, story: Story, reason: str, now: datetime) -> None:
        """Odoo does not let it be reconciled: a case, which ends once it does; reconcile again after a long pause."""


@dataclass(frozen=True, slots=True)
class MatchClaim:
    """A match to write, with its postings; `booked` lacks those that are not posted yet. `ended`: one never will be."""

    name: str
    company: str
    type: MatchType
    anchor: str
    members: tuple[str, ...]
    booked: Mapping[str, Booked]
    traceparent: str = ""
    ended: bool = False

    @property
    def is_ready(self) -> bool:
        return {self.anchor, *self.members} <= self.booked.keys()


class MatchQueue(Protocol):
    """Confirmed matches that Odoo does not show yet. Each method is one commit."""

    def claim(self, now: datetime, limit: int) -> list[MatchClaim]:
        """Take matches that are due, all of one company."""

    def renew(self, match: MatchClaim, now: datetime) -> bool:
        """Keep the lease; false if it was lost."""

    def written(
        self, match: MatchClaim, outcomes: Mapping[str, Outcome], exchanges: Sequence[DocumentView], now: datetime
    ) -> None:
        """WRITTEN with what is open now; looked at once more where a posting was changed since the claim."""

    def refused(self, match: MatchClaim, reason: str, text: str, now: datetime) -> None:
        """EXCEPTION with a case: a person must look."""

    def later(self, match: MatchClaim, reason: str, now: datetime) -> None:
        """PENDING again after a pause; parked with a case once the budget is spent."""
