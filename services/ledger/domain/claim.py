"""A worker's right to a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WorkClaim:
    """A worker's right to write to a row until `until`, under a fencing number."""

    owner: str
    fence: int
    until: datetime
