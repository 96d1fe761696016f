"""What a file says of itself that a person must look at: each becomes a difference of its own."""

from __future__ import annotations

from dataclasses import dataclass

from libs.money import Money

from .difference import Cause

DOUBTS_AT_MOST = 500  # about the lines of one file; what is more is one difference together

# Those that are not here need nobody: they say how the file is, contradict nothing, or stand beside one that is here.
# That balances contradict their lines is found from the stored statement, for a later copy may mend it.
OF_STATEMENTS = frozenset(
    {
        "ACCOUNT_DIFFERS",
        "BALANCE_AMBIGUOUS",
        "ENTRY_COUNT_MISMATCH",
        "LINES_DOUBTED",
        "OVERLAP_POSSIBLE",
        "STATEMENT_CHANGED",
    }
)
OF_LINES = frozenset(
    {
        "BATCH_COUNT_MISMATCH",
        "BATCH_TOTAL_INVALID",
        "BATCH_TOTAL_MISMATCH",
        "DETAILS_DO_NOT_SUM",
        "DETAIL_AMOUNT_INVALID",
        "DETAIL_SIDE_INVALID",
        "LINE_AMBIGUOUS",
        "LINE_CONTRADICTED",
        "LINE_REPEATED",
        "STATUS_UNKNOWN",
    }
)
_STATEMENTS, _LINES, _DOUBTS = "/statements/", "/lines/", "/doubts/"


@dataclass(frozen=True, slots=True)
class FileDoubt:
    """`sequence` is the line's in its statement, 0 where it is the statement's own. `event` is what the line became."""

    statement: str
    reason: str
    message: str
    amount: Money  # at risk: what the line moves, or what the statement's proof lacks
    sequence: int = 0
    event: str = ""
    transaction_id: str = ""

    @property
    def subject(self) -> str:
        """`companies/{company}/statements/{statement}[/lines/{line}]/doubts/{reason}`"""
        return doubt_subject(self.statement, self.reason, self.sequence)

    def cause(self, file_transaction_id: str) -> Cause:
        """Of its difference."""
        is_ambiguous = self.reason == "LINE_AMBIGUOUS"
        return Cause(
            subject=self.subject,
            transaction_id=self.transaction_id or file_transaction_id,
            reason=self.reason,
            message=self.message,
            amount=self.amount,
            nearest=self.event if is_ambiguous else "",
            nearest_lacks="reference" if is_ambiguous else "",
        )


def doubt_subject(statement: str, reason: str, sequence: int = 0) -> str:
    """The subject of the doubt's difference."""
    place = f"{statement}{_LINES}{sequence}" if sequence else statement
    return f"{place}{_DOUBTS}{reason.lower().replace('_', '-')}"


def is_doubt(subject: str) -> bool:
    """Whether a difference is a doubt about a file: only a person resolves it, or a later copy of the statement."""
    return subject.startswith("companies/") and _STATEMENTS in subject and _DOUBTS in subject


def place_of(subject: str) -> tuple[str, int]:
    """(statement, line) of a doubt's subject; line 0 is the statement itself."""
    statement, _, line = subject.partition(_DOUBTS)[0].partition(_LINES)
    return statement, int(line or 0)
