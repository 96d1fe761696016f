"""Files that were imported, and the statements in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

FINDINGS_AT_MOST = 500


class FileKind(Enum):
    STATEMENT = "statement"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class IncomingFile:
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
