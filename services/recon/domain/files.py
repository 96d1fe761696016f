"""Files that were imported, and the statements in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.money import Money

FINDINGS_AT_MOST = 500


class FileKind(Enum):
    STATEMENT = "statement"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class FileToImport:
    """What its sender promises of a file. `sha256` is checked against the bytes."""

    company: str
    interface: str  # `{provider}/{account}`
    delivery: str
    file_name: str
    sha256: str
    received_at: datetime
    transaction_id: str


@dataclass(frozen=True, slots=True)
class FileFinding:
    """Something odd in a file that is imported all the same. `reason` is stable; the message is for people."""

    reason: str
    message: str
    position: str = ""  # where in the file; empty where it is about the whole


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """The answer to an import; the first answer again where the same bytes come again."""

    statements: tuple[str, ...]
    settlements: tuple[str, ...]
    lines: int
    findings: tuple[FileFinding, ...]
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A bank statement. Amounts are None where the file does not say."""

    name: str
    company: str
    statement_id: str
    bank_account: str
    currency: str
    opening: Money | None
    closing: Money | None
    credit_sum: Money | None
    debit_sum: Money | None
    lines: int
    ties: bool
    imported_at: datetime
    transaction_id: str

    @property
    def gap(self) -> Money | None:
        """Closing balance less what opening balance and lines give; None where the file does not say."""
        if self.opening is None or self.closing is None or self.credit_sum is None or self.debit_sum is None:
            return None
        return self.closing - self.opening - self.credit_sum + self.debit_sum


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """A booked line of a statement: where it stands, and the event that it is."""

    statement: str
    sequence: int
    event: str


class FileFindings:
    """What a file's reader found, each once and not without end."""

    def __init__(self) -> None:
        self._found: dict[FileFinding, None] = {}
        self._more = 0

    def add(self, reason: str, message: str, position: str | None = None) -> None:
        finding = FileFinding(reason, message, position or "")
        if len(self._found) < FINDINGS_AT_MOST:
            self._found[finding] = None
        elif finding not in self._found:
            self._more += 1

    def all(self) -> tuple[FileFinding, ...]:
        """In the order found."""
        more = (FileFinding("FINDINGS_CUT", f"{self._more} more"),) if self._more else ()
        return (*self._found, *more)


def statement_name(company: str, sha256: str, index: int) -> str:
    """`companies/{company}/statements/{statement}`: banks number statements anew each year, so the file's digest."""
    return f"companies/{company}/statements/{sha256[:32]}-{index}"


def settlement_name(company: str, payout_id: str) -> str:
    """`companies/{company}/settlements/{settlement}`"""
    return f"companies/{company}/settlements/{payout_id}"


def match_name(company: str, words: Iterable[str]) -> str:
    """`companies/{company}/matches/{match}`: the same sides always give the same name."""
    return f"companies/{company}/matches/{_short_digest(words)}"


def difference_name(company: str, subject: str) -> str:
    """`companies/{company}/differences/{difference}`: a subject has one difference at most."""
    return f"companies/{company}/differences/{_short_digest([subject])}"


def _short_digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]
