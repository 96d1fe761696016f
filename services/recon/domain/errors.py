"""Recon's errors.

ConcordError (those of a review stand in `libs.errors.review`)
├── StatementUnknown, SettlementUnknown, MatchUnknown, DifferenceUnknown
├── ExplanationUnknown    nothing of that name can be explained
├── FileChanged           the bytes are not the ones that their header promised
├── BankAccountUnknown    a statement of an account that its sender may not touch
├── BankAccountTaken      a statement of an account whose statements are another company's
├── FileKindUnsupported   a file that is read but not imported
├── SettlementConflict    two tellings of one payout contradict each other
├── DifferenceChanged     an etag names another version
├── DifferenceWatched     only its counterpart resolves it
└── WriteOffNotProposed   nothing to approve or reject
"""

from __future__ import annotations

from libs.errors import ConcordError, Kind


class StatementUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "STATEMENT_UNKNOWN"


class SettlementUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "SETTLEMENT_UNKNOWN"


class MatchUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "MATCH_UNKNOWN"


class DifferenceUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "DIFFERENCE_UNKNOWN"


class FileChanged(ConcordError):
    """The bytes that arrived are not those of the header's digest."""

    kind = Kind.INVALID
    reason = "FILE_DIGEST_DIFFERS"


class DifferenceChanged(ConcordError):
    kind = Kind.STALE
    reason = "DIFFERENCE_CHANGED"


class DifferenceWatched(ConcordError):
    """A worker resolves it once its cause is gone, and would open it again before."""

    kind = Kind.PRECONDITION
    reason = "DIFFERENCE_WATCHED"


class WriteOffNotProposed(ConcordError):
    kind = Kind.PRECONDITION
    reason = "WRITE_OFF_NOT_PROPOSED"


class ExplanationUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "EXPLANATION_UNKNOWN"


class BankAccountUnknown(ConcordError):
    """A statement in the file is of an account that its sender may not touch: nothing of the file is imported."""

    kind = Kind.MISSING
    reason = "SOURCE_UNKNOWN"


class BankAccountTaken(ConcordError):
    """A statement in the file is of an account whose statements are another company's: nothing of it is imported.

    A line is one fact, and would be in the books of whoever sent it first.
    """

    kind = Kind.PRECONDITION
    reason = "BANK_ACCOUNT_OF_ANOTHER_COMPANY"


class FileKindUnsupported(ConcordError):
    """A file that can be read and is none of those that are imported here."""

    kind = Kind.INVALID
    reason = "FILE_KIND_UNSUPPORTED"


class SettlementConflict(ConcordError):
    kind = Kind.CONFLICT
    reason = "SETTLEMENT_CONFLICT"
