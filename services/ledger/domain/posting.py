"""A posting: one effect of one event, on its way to one Odoo document."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum

from libs.access import EVERYTHING, AccessScope
from libs.errors import ConcordError
from libs.errors.people import is_same_person
from libs.money import Money

from .case import Doubt
from .claim import WorkClaim
from .document import Document, content_digest, document_from_json
from .states import PostingState, Reconciliation

LEDGER = "ledger"  # the actor of what the ledger does by itself
UNSTORED = 0  # the version of a posting that does not exist yet
WAITS_FOR_PREDECESSOR = "WAITS_FOR_PREDECESSOR"
PREDECESSOR_MISSING = "PREDECESSOR_MISSING"
ODOO_HOLDS_ANOTHER = "ODOO_HOLDS_ANOTHER"  # it stands in the books, otherwise than we meant


class Lane(IntEnum):
    """Interactive work goes before bulk."""

    INTERACTIVE = 0
    BULK = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """As it was read. `key` is the effect's business key and the document's external id in Odoo."""

    key: str
    company: str
    event: str
    transaction_id: str
    effect: str  # `gross`, `fee`, `invoice` …
    state: PostingState
    lane: Lane
    amount: Money  # the event's gross: what is counted and at risk
    made_by: str
    created_at: datetime
    updated_at: datetime
    available_at: datetime  # when a worker may take it
    document_json: str = ""  # empty until built
    document_type: str = ""
    content_digest: str = ""
    ar_group: str = ""  # the story's label
    mapping_revision: int = 0
    mapping_by: str = ""  # who made the mapping that it was built with
    reconciliation: Reconciliation = Reconciliation.NONE
    open_roles: str = ""  # roles of its lines that reconciliation has left open, separated by spaces
    reconcile_at: datetime | None = None  # when its story is to be reconciled; None: nothing new
    odoo_model: str = ""
    odoo_id: int = 0
    odoo_number: str = ""
    posted_date: str = ""
    posted_at: datetime | None = None
    reason: str = ""
    reason_text: str = ""
    attempts: int = 0  # claims since the budget began
    tries: int = 0  # attempts at Odoo, over all states
    first_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    hold_until: datetime | None = None
    parked: bool = False
    approved_by: str = ""
    version: int = 1
    claim: WorkClaim | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        return posting_name(self.company, self.key)

    @property
    def document(self) -> Document:
        """What goes to Odoo. Raises `ValueError` before it is built."""
        if not self.is_built:
            raise ValueError(f"{self.key} has no document yet")
        return document_from_json(self.document_json)

    @property
    def is_built(self) -> bool:
        return bool(self.document_json)

    @property
    def is_intact(self) -> bool:
        """Whether the document is the one whose digest was built, and signed where somebody had to."""
        try:
            return content_digest(self.document) == self.content_digest
        except (ConcordError, ValueError):  # it does not even balance any more
            return False


def posting_name(company: str, key: str) -> str:
    """`companies/{company}/postings/{posting}`"""
    return f"companies/{company}/postings/{key}"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a posting in one commit: the fields that differ between `before` and `after`.

    `through` names the states passed on the way; each step must be in the table of transitions, but for a posting that
    does not exist yet (`creation`). A change of a claimed posting (`before.claim`) ends the claim unless told to keep
    it, and is not made if the claim was lost.
    """

    before: Posting
    after: Posting
    actor: str
    through: tuple[PostingState, ...] = ()
    doubt: Doubt | None = None  # opens an exception case
    resolution: str = ""  # ends the posting's open cases
    why: str = ""  # a person's words, for the audit log
    keep_claim: bool = False  # write under the claim without ending it
    predecessors: tuple[str, ...] = ()  # what it waits for from now on

    @property
    def is_new(self) -> bool:
        return self.before.version == UNSTORED

    @property
    def steps(self) -> tuple[PostingState, ...]:
        """The states that it comes to, in order; none where it stays in its own."""
        stays = self.after.state is self.before.state and not self.is_new
        return () if stays else (*self.through, self.after.state)


def creation(posting: Posting, through: tuple[PostingState, ...] = ()) -> Change:
    """Of a posting that does not exist yet."""
    return Change(replace(posting, version=UNSTORED), posting, posting.made_by or LEDGER, through)


@dataclass(frozen=True, slots=True)
class PostingQuery:
    """Which postings to list; each empty field lets everything through."""

    company: str
    states: tuple[PostingState, ...] = ()
    transaction_id: str = ""
    event: str = ""
    reference: str = ""
    scope: AccessScope = EVERYTHING


def unblocked(posting: Posting, now: datetime) -> Posting:
    """Ready for the worker that posts, with a new budget."""
    return replace(
        posting,
        state=PostingState.READY,
        available_at=now,
        hold_until=None,
        reason="",
        reason_text="",
        attempts=0,
        parked=False,
    )


def waiting(posting: Posting, until: datetime) -> Posting:
    """Held until its predecessors are posted; storage makes it READY at once where nothing blocks it."""
    return replace(
        posting,
        state=PostingState.HELD,
        available_at=until,
        hold_until=until,
        reason=WAITS_FOR_PREDECESSOR,
        reason_text="what it follows is not posted yet",
        attempts=0,
        parked=False,
    )


def is_maker(posting: Posting, subject: str) -> bool:
    """Whether the person brought the event or made the mapping, however they spell their name."""
    return is_same_person(subject, posting.made_by) or is_same_person(subject, posting.mapping_by)


def is_waiting(posting: Posting) -> bool:
    return posting.state is PostingState.HELD and posting.reason == WAITS_FOR_PREDECESSOR
