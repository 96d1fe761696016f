"""The ledger's errors.

ConcordError (those of a review stand in `libs.errors.review`)
├── Unbalanced            an entry whose sides differ
├── EventRefused          an event that is not recorded, though nothing is wrong with it by itself
│   ├── EventConflict         one name, two contents
│   └── TransactionIdTaken    it names a transaction of somebody else's
├── EventUnknown, PostingUnknown, AppliedMatchUnknown
├── NotRetryable          RetryPosting in a state that needs no retry
├── MatchConflict         one match's name, two contents
├── MatchNotRetryable     RetryMatch of a match that is written
├── PostingBusy           a worker has it in hand at this moment
├── CompanyNotReady       masterdata knows no approved mapping of the company yet
└── Unbuildable           a business reason why an event has no document yet: becomes an exception case
"""

from __future__ import annotations

from libs.errors import ConcordError, Kind


class Unbalanced(ConcordError):
    """The entry's lines do not add up to zero."""

    kind = Kind.INVALID
    reason = "ENTRY_UNBALANCED"

    def __init__(self, effect: str, currency: str) -> None:
        super().__init__(f"entry for {effect} does not balance in {currency}")


class EventRefused(ConcordError):
    """An event that can't be recorded beside what is recorded."""

    kind = Kind.CONFLICT
    reason = "EVENT_REFUSED"


class EventConflict(EventRefused):
    """The event's name is known with another content."""

    kind = Kind.CONFLICT
    reason = "EVENT_CONFLICT"

    def __init__(self, name: str, known: str, stated: str) -> None:
        super().__init__(
            f"{name} is recorded with another content", field="name", metadata={"known": known, "stated": stated}
        )


class TransactionIdTaken(EventRefused):
    """The transaction id is known of an event of another company, or of a source that the caller may not touch."""

    kind = Kind.CONFLICT
    reason = "TRANSACTION_ID_TAKEN"

    def __init__(self) -> None:
        super().__init__("this transaction id is another transaction's", field="transaction_id")


class EventUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "EVENT_UNKNOWN"


class PostingUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "POSTING_UNKNOWN"


class AppliedMatchUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "MATCH_UNKNOWN"


class MatchConflict(ConcordError):
    """The match's name is known with another content."""

    kind = Kind.CONFLICT
    reason = "MATCH_CONFLICT"


class MatchNotRetryable(ConcordError):
    kind = Kind.PRECONDITION
    reason = "MATCH_NOT_RETRYABLE"


class NotRetryable(ConcordError):
    kind = Kind.PRECONDITION
    reason = "POSTING_NOT_RETRYABLE"


class PostingBusy(ConcordError):
    """A worker has the posting in hand, or it changed since it was read: read it and ask again."""

    kind = Kind.STALE
    reason = "POSTING_BUSY"


class Unbuildable(ConcordError):
    """A business reason why an effect has no document: an exception case, never retried by itself."""

    kind = Kind.PRECONDITION
    reason = "UNBUILDABLE"

    def __init__(self, case: str, message: str) -> None:
        super().__init__(message)
        self.case = case  # the exception case's reason, UPPER_SNAKE_CASE


class CompanyNotReady(ConcordError):
    """Masterdata can't speak for the company yet: everything of it waits."""

    kind = Kind.RETRY
    reason = "COMPANY_NOT_READY"

    def __init__(self, why: str) -> None:
        super().__init__(f"masterdata does not speak for the company yet: {why}", metadata={"why": why})
