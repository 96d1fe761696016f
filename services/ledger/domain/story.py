"""Stories: events joined by references, directly or through others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .document import Document
from .master import PartyWord
from .posting import Posting


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of an event's story when its documents are built."""

    customer: PartyWord | None = None  # the buyer whom the story's order names
    documents: tuple[Document, ...] = ()  # built so far, the event's own excluded, oldest first


@dataclass(frozen=True, slots=True)
class Story:
    """The events of a story, and the label under which their postings stand."""

    label: str
    events: tuple[str, ...]
    other_labels: tuple[str, ...]  # of stories that turned out to be this one
    context: Context


@dataclass(frozen=True, slots=True)
class PostedStory:
    """What is posted of a story, to be reconciled.

    It was put off `until` then, which guards every write: whoever takes it over puts it off anew.
    """

    company: str
    label: str
    postings: tuple[Posting, ...]
    until: datetime
