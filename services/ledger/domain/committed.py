"""What a commit did."""

from __future__ import annotations

from dataclasses import dataclass, field

from libs.events import Event

from .event import RecordedEvent
from .posting import Change


@dataclass(slots=True)
class Committed:
    """What one transaction did: told to a listener once it is durable."""

    queues: set[str] = field(default_factory=set)  # those that got work: `build`, `post`, `match`, `seal`
    recorded: list[tuple[RecordedEvent, bool]] = field(default_factory=list)  # new ones; whether the caller named an id
    repeated: list[Event] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)  # new postings too
    postponed: list[tuple[Event, str]] = field(default_factory=list)  # to be built again, and the failure's reason
