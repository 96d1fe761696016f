"""What the use cases and workers need of the world; `adapters` fulfil it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from ..domain.document import Document
from ..domain.document_type import DocumentType
from ..domain.master import Masters, Ref
from ..domain.view import DocumentView, LineView, Locks


class Masterdata(Protocol):
    """Who answers what the rules ask. Raises a `ConcordError` of a technical kind when it can't answer now."""

    def resolve(self, company: str, refs: Sequence[Ref]) -> Masters:
        """The answer to each question, all of one revision; what is not known is `Unresolved`."""
        ...


Record = tuple[DocumentType, int]  # a document in Odoo: its type says which model the id is of


class Journal(Protocol):
    """The books in Odoo, seen as documents (`adapters.odoo_journal`)."""

    def find(self, documents: Sequence[Document], known_ids: Sequence[int] = ()) -> dict[str, int]: ...
    def load(self, documents: Sequence[Document], reversed_ids: Mapping[str, int]) -> list[int]: ...
    def read(self, kind: DocumentType, ids: Sequence[int]) -> dict[int, DocumentView]: ...
    def read_all(self, records: Iterable[Record]) -> dict[Record, DocumentView]: ...
    def post(self, ids: Sequence[int]) -> None: ...
    def discard(self, kind: DocumentType, ids: Sequence[int]) -> None: ...
    def locks(self, company_id: int) -> Locks: ...
    def lines(self, line_ids: Sequence[int]) -> list[LineView]: ...
    def reconcile(self, line_ids: Sequence[int]) -> None: ...
    def move_to_account(self, line_id: int, account_id: int, partner_id: int | None) -> None: ...
    def exchange_moves(self, line_ids: Sequence[int]) -> dict[int, list[DocumentView]]: ...


class CompanyBooks(Protocol):
    """Where a company's books are and what it wants of late documents."""

    def odoo_company(self, company: str) -> int: ...

    def exchange_account(self, company: str) -> int:
        """Odoo's id of the account that exchange differences go to (FXD)."""

    def open_day(self, company: str, closed_until: date) -> date | None:
        """The day to post on where the document's own is locked, or None: a person must decide."""
