"""Matches with their certificates, and differences with their owners; the only ways between their states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.errors.review import TransitionForbidden
from libs.money import Money
from libs.service.work import Lease


class MatchType(Enum):
    PAYOUT_TRANSACTIONS = "payout_transactions"
    BANK_PAYOUT = "bank_payout"
    BANK_INVOICE = "bank_invoice"


class MatchState(Enum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WRITTEN = "written"
    UNDONE = "undone"


_M = MatchState
MATCH_TRANSITIONS: dict[MatchState, frozenset[MatchState]] = {
    _M.PROPOSED: frozenset({_M.CONFIRMED, _M.UNDONE}),
    _M.CONFIRMED: frozenset({_M.WRITTEN, _M.UNDONE}),
    _M.WRITTEN: frozenset({_M.UNDONE}),
    _M.UNDONE: frozenset(),
}


def check_match(old: MatchState, new: MatchState) -> None:
    """Raise `TransitionForbidden` unless the table has this change."""
    if new not in MATCH_TRANSITIONS[old]:
        raise TransitionForbidden(f"a match cannot go from {old.value} to {new.value}")


@dataclass(frozen=True, slots=True)
class Residual:
    """`kind`: `fee`, `fx`, `tax`, `discount`, `rounding`, `write_off`, `timing`, `unexplained`."""

    kind: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Certificate:
    """What proves a match; the rest is derived from the immutable inputs when somebody asks."""

    rule_revision: str
    rule: str
    candidates: int  # of this rank, both sides counted: 1 for an automatic match
    snapshot: str  # the ledger position that it was made from
    residuals: tuple[Residual, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """`anchor` and `members` are keys of postings."""

    name: str
    type: MatchType
    state: MatchState
    anchor: str
    members: tuple[str, ...]
    certificate: Certificate
    created_at: datetime
    transaction_ids: tuple[str, ...] = ()
    written_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One side of a match: which role of which posting it closes."""

    posting: str
    role: str
    transaction_id: str


@dataclass(frozen=True, slots=True)
class NewMatch:
    match: Match
    company: str
    anchor: Member
    members: tuple[Member, ...]
    traceparent: str = ""
    settlement: str = ""  # the settlement's name, where it proves one


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """A match with what belongs to it."""

    match: Match
    company: str
    anchor: Member
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Banked:
    """A payout's bank match, and the transactions that the payout paid out."""

    payout: str
    match: str
    traceparent: str
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutboundMatch:
    """A confirmed match on its way to Odoo."""

    match: Match
    company: str
    traceparent: str
    attempts: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """What became of a claimed match. With `retry_at` it is asked for again then."""

    stored: OutboundMatch
    state: MatchState
    reason: str = ""
    written_at: datetime | None = None
    retry_at: datetime | None = None
    fresh_budget: bool = False
