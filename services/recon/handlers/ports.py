"""What recon needs of the world. `adapters` fulfil it over stubs, `engine` and a simulation in-process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from libs.events import Event

from ..domain.items import BankItem, Target
from ..domain.learning import LedgerPosting
from ..domain.match import MatchType
from ..domain.outcome import Result

Matcher = Callable[[Sequence[BankItem], Sequence[Target]], Result]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The ledger has the event, under this transaction id; `duplicate` if it had it before."""

    transaction_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """The ledger will not have the event; `retry` if it may later."""

    reason: str
    retry: bool


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
class MatchToApply:
    """`anchor` and `members` are postings' keys."""

    name: str
    company: str
    type: MatchType
    anchor: str
    members: tuple[str, ...]
    rule_revision: str
    traceparent: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a match in the ledger."""

    state: AppliedState
    reason: str = ""
    written_at: datetime | None = None


class Ledger(Protocol):
    """Raises a `ConcordError`: of a technical kind to be tried again, else the refusal with its reason."""

    def record(self, events: Sequence[Event]) -> list[Recorded | NotRecorded]:
        """An answer an event, in order."""

    def read_changes(self, company: str, token: str, limit: int) -> list[LedgerChange]:
        """The next changes after a token (empty: from the start) that are there now, in their one order."""

    def apply_match(self, match: MatchToApply) -> Applied:
        """Safe to repeat: the same match gets the first answer."""

    def applied_match(self, name: str) -> Applied:
        """Raises an error of kind MISSING for a match that the ledger never got."""
