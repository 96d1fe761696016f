"""What recon needs of the world. `adapters` fulfil it over stubs, `engine` and a simulation in-process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from libs.handover import EventLedger

from ..domain.items import BankItem, Target
from ..domain.learning import LedgerPosting
from ..domain.match import Match
from ..domain.outcome import Result

Matcher = Callable[[Sequence[BankItem], Sequence[Target]], Result]


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """One change of a posting. Whoever goes on from `token` misses nothing and sees nothing twice."""

    posting: LedgerPosting
    token: str


class AppliedState(Enum):
    PENDING = "pending"
    WRITTEN = "written"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class LedgerAnswer:
    """What became of a match in the ledger."""

    state: AppliedState
    reason: str = ""
    written_at: datetime | None = None


class ReconLedger(EventLedger, Protocol):
    """Raises a `ConcordError`: of a technical kind to be tried again, else the refusal with its reason."""

    def read_changes(self, company: str, token: str, limit: int) -> list[LedgerChange]:
        """The next changes after a token (empty: from the start) that are there now, in their one order."""

    def apply_match(self, match: Match) -> LedgerAnswer:
        """Safe to repeat, and the way to ask again: the same match gets the answer as it is then."""
