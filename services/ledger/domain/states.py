"""The states of a posting, and the only ways between them."""

from __future__ import annotations

from enum import Enum

from libs.errors.review import TransitionForbidden


class PostingState(Enum):
    RECORDED = "recorded"
    VALIDATED = "validated"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    READY = "ready"
    POSTING = "posting"
    POSTED = "posted"
    EXCEPTION = "exception"
    HELD = "held"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    NO_EFFECT = "no_effect"


class Reconciliation(Enum):
    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


_S = PostingState
TRANSITIONS: dict[PostingState, frozenset[PostingState]] = {
    _S.RECORDED: frozenset({_S.VALIDATED, _S.EXCEPTION, _S.HELD, _S.NO_EFFECT, _S.DUPLICATE, _S.REJECTED}),
    _S.VALIDATED: frozenset({_S.READY, _S.AWAITING_APPROVAL, _S.HELD, _S.EXCEPTION}),
    _S.AWAITING_APPROVAL: frozenset({_S.APPROVED, _S.REJECTED}),
    _S.APPROVED: frozenset({_S.READY, _S.HELD}),
    _S.HELD: frozenset({_S.READY, _S.VALIDATED, _S.EXCEPTION, _S.REJECTED}),
    _S.READY: frozenset({_S.POSTING, _S.HELD, _S.EXCEPTION}),
    # Back to READY only when Odoo certainly did nothing; UNKNOWN when it may have.
    _S.POSTING: frozenset({_S.POSTED, _S.READY, _S.UNKNOWN, _S.EXCEPTION}),
    _S.UNKNOWN: frozenset({_S.POSTING, _S.POSTED, _S.EXCEPTION}),
    _S.EXCEPTION: frozenset({_S.RECORDED, _S.VALIDATED, _S.READY, _S.UNKNOWN, _S.REJECTED}),
    _S.POSTED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.DUPLICATE: frozenset(),
    _S.NO_EFFECT: frozenset(),
}

# The buckets of the completeness equation, least finished first: a state that is none of them is pending.
BUCKET_ORDER = ("exception", "pending", "rejected", "posted", "duplicate", "no_effect")

# They never reach the books.
ENDED_UNPOSTED = frozenset({_S.REJECTED, _S.DUPLICATE, _S.NO_EFFECT})


def check_transition(old: PostingState, new: PostingState) -> None:
    """Raise `TransitionForbidden` unless the table has this change."""
    if new not in TRANSITIONS[old]:
        raise TransitionForbidden(f"a posting cannot go from {old.value} to {new.value}")


def bucket_of(states: list[PostingState]) -> str:
    """The least finished bucket of an event's postings; an event without postings is pending."""
    buckets = [state.value if state.value in BUCKET_ORDER else "pending" for state in states]
    return min(buckets, key=BUCKET_ORDER.index, default="pending")
