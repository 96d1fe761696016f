"""What a canonical event can't be."""

from __future__ import annotations

from libs.errors import ConcordError, Kind


class EventInvalid(ConcordError):
    """An event that contradicts itself or its name's format."""

    kind = Kind.INVALID
    reason = "EVENT_INVALID"
