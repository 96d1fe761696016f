"""Postings, events and exceptions as they are now."""

from __future__ import annotations

from libs.access import AccessScope
from libs.listing import After, ListPart, part_of

from ..domain.case import CaseState, ExceptionCase
from ..domain.event import RecordedEvent
from ..domain.listed import ListedPosting
from ..domain.posting import Posting, PostingQuery
from ..storage.uow import NewUow


def get_event(name: str, scope: AccessScope, new_uow: NewUow) -> RecordedEvent:
    """Raises `EventUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.events.get(name, scope)


def get_posting(company: str, key: str, new_uow: NewUow) -> Posting:
    """Raises `PostingUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.postings.get(company, key)


def list_postings(query: PostingQuery, size: int, after: After | None, new_uow: NewUow) -> ListPart[ListedPosting]:
    """Oldest first."""
    with new_uow(read_only=True) as uow:
        found = uow.postings.page(query, size + 1, after)
    return part_of(found, size, lambda posting: (posting.created_at.isoformat(), posting.key))


def list_exceptions(
    company: str, state: CaseState | None, scope: AccessScope, size: int, after: After | None, new_uow: NewUow
) -> ListPart[ExceptionCase]:
    """Oldest first."""
    with new_uow(read_only=True) as uow:
        found = uow.cases.page(company, state, scope, size + 1, after)
    return part_of(found, size, lambda case: (case.created_at.isoformat(), case.id))
