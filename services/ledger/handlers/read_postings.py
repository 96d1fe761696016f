"""Postings, events and exceptions as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ..domain.case import CaseState, ExceptionCase
from ..domain.event import RecordedEvent
from ..domain.listed import ListedPosting
from ..domain.page import After
from ..domain.posting import Posting, PostingQuery
from ..storage.uow import NewUow

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part(Generic[Item]):
    """Part of a list; `after` is where the next part begins, None at the end."""

    items: list[Item]
    after: After | None


def get_event(name: str, new_uow: NewUow) -> RecordedEvent:
    """Raises `EventUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.events.get(name)


def get_posting(company: str, key: str, new_uow: NewUow) -> Posting:
    """Raises `PostingUnknown`."""
    with new_uow(read_only=True) as uow:
        return uow.postings.get(company, key)


def list_postings(query: PostingQuery, size: int, after: After | None, new_uow: NewUow) -> Part[ListedPosting]:
    """Oldest first."""
    with new_uow(read_only=True) as uow:
        found = uow.postings.page(query, size + 1, after)
    last = found[size - 1] if len(found) > size else None
    return Part(found[:size], (last.created_at.isoformat(), last.key) if last else None)


def list_exceptions(
    company: str, state: CaseState | None, size: int, after: After | None, new_uow: NewUow
) -> Part[ExceptionCase]:
    """Oldest first."""
    with new_uow(read_only=True) as uow:
        found = uow.cases.page(company, state, size + 1, after)
    last = found[size - 1] if len(found) > size else None
    return Part(found[:size], (last.created_at.isoformat(), last.id) if last else None)
