"""What the posting workers need of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from ..domain.document import Document, DocumentType
from ..domain.view import DocumentView, LineView, Locks


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


class PostingStore(Protocol):
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
        """The document's day moved to an open one, by policy."""

    def loaded(self, ids: Sequence[tuple[Claim, int]], now: datetime) -> set[str]:
        """Odoo confirmed that it holds these; absence from now on is an exception."""

    def unloaded(self, claims: Sequence[Claim], now: datetime) -> set[str]:
        """We are about to remove these drafts ourselves."""

    def posted(self, views: Sequence[tuple[Claim, DocumentView]], now: datetime) -> set[str]:
        """POSTED; followers whose predecessors are all posted become READY in the same commit."""

    def refused(self, claim: Claim, reason: str, text: str, *, technical: bool, now: datetime) -> set[str]:
        """EXCEPTION with a case: a person must look."""

    def put_back(self, claims: Sequence[Claim], reason: str, *, unknown: bool, now: datetime) -> set[str]:
        """READY again after a pause, or UNKNOWN where Odoo may have acted; parked once the budget is spent."""


class Journal(Protocol):
    """The books in Odoo, seen as documents (`adapters.odoo_journal`)."""

    def find(self, effects: Sequence[str]) -> dict[str, int]: ...
    def load(self, documents: Sequence[Document], reversed_ids: Mapping[str, int]) -> list[int]: ...
    def read(self, kind: DocumentType, ids: Sequence[int]) -> dict[int, DocumentView]: ...
    def post(self, ids: Sequence[int]) -> None: ...
    def discard(self, kind: DocumentType, ids: Sequence[int]) -> None: ...
    def locks(self, company_id: int) -> Locks: ...
    def lines(self, line_ids: Sequence[int]) -> list[LineView]: ...
    def reconcile(self, line_ids: Sequence[int]) -> None: ...
    def move_to_account(self, line_id: int, account_id: int, partner_id: int | None) -> None: ...
    def exchange_moves(self, line_ids: Sequence[int]) -> list[DocumentView]: ...


class CompanyBooks(Protocol):
    """Where a company's books are and what it wants of late documents."""

    def odoo_company(self, company: str) -> int: ...

    def open_day(self, company: str, closed_until: date) -> date | None:
        """The day to post on where the document's own is locked, or None: a person must decide."""
