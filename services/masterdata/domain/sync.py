"""One reading of Odoo, as it is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SyncState(StrEnum):
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SyncRun:
    company: str
    id: str
    state: SyncState
    started_at: datetime
    ended_at: datetime
    records: tuple[tuple[str, int], ...] = ()  # read, by kind
    changed: int = 0
    revision: int = 0
    reason: str = ""  # why it failed

    @property
    def name(self) -> str:
        return f"companies/{self.company}/syncRuns/{self.id}"
