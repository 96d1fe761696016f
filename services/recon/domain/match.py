"""Matches: their sides, what proves them, and the only ways between their states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.errors.review import TransitionForbidden
from libs.service.work import Lease


class MatchType(Enum):
    PAYOUT_TRANSACTIONS = "payout_transactions"
    BANK_PAYOUT = "bank_payout"
    BANK_INVOICE = "bank_invoice"


class MatchState(Enum):
    CONFIRMED = "confirmed"  # found, and to be written
    WRITTEN = "written"  # Odoo shows it
    UNDONE = "undone"


MATCH_TRANSITIONS: dict[MatchState, frozenset[MatchState]] = {
    MatchState.CONFIRMED: frozenset({MatchState.WRITTEN, MatchState.UNDONE}),
    MatchState.WRITTEN: frozenset({MatchState.UNDONE}),
    MatchState.UNDONE: frozenset(),
}


def check_match(old: MatchState, new: MatchState) -> None:
    """Raise `TransitionForbidden` unless the table has this change."""
    if new not in MATCH_TRANSITIONS[old]:
        raise TransitionForbidden(f"a match cannot go from {old.value} to {new.value}")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What proves a match; the rest is derived from the immutable inputs when somebody asks."""

    rule_revision: str
    rule: str
    candidates: int  # of this rank, both sides counted: 1 for an automatic match
    snapshot: str  # the ledger position that it was made from


@dataclass(frozen=True, slots=True)
class MatchSide:
    """One side of a match: which role of which posting it closes."""

    posting: str  # its key
    role: str
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Match:
    """Things on two sides that are the same money."""

    name: str
    company: str
    type: MatchType
    state: MatchState
    anchor: MatchSide
    members: tuple[MatchSide, ...]
    certificate: Certificate
    created_at: datetime
    traceparent: str = ""
    written_at: datetime | None = None
    reason: str = ""

    @property
    def sides(self) -> tuple[MatchSide, ...]:
        """The anchor first."""
        return (self.anchor, *self.members)

    @property
    def transaction_ids(self) -> tuple[str, ...]:
        """The sides' transactions, each once."""
        return tuple(dict.fromkeys(side.transaction_id for side in self.sides))


@dataclass(frozen=True, slots=True)
class Banked:
    """A payout's bank match, and the transactions that the payout paid out."""

    payout: str
    match: str
    traceparent: str
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimedMatch:
    """A confirmed match that a worker holds."""

    match: Match
    attempts: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """What became of a claimed match. With `retry_at` it is asked for again then."""

    stored: ClaimedMatch
    state: MatchState
    reason: str = ""
    written_at: datetime | None = None
    retry_at: datetime | None = None
    fresh_budget: bool = False
