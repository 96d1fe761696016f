"""What a review can be refused for, wherever one person makes a thing and another approves it."""

from __future__ import annotations

from libs.errors import ConcordError, Kind


class TransitionForbidden(ConcordError):
    """The table of states does not know this change."""

    kind = Kind.PRECONDITION
    reason = "TRANSITION_FORBIDDEN"


class ContentChanged(ConcordError):
    """The content that was approved is not the content there is."""

    kind = Kind.STALE
    reason = "CONTENT_CHANGED"


class ApproverIsMaker(ConcordError):
    """Whoever made a thing may not approve it."""

    kind = Kind.FORBIDDEN
    reason = "APPROVER_IS_MAKER"
