"""Rows to domain values and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table

from libs.events import Digest, event_from_json
from libs.storage.layout import Layout
from libs.storage.leases import Lease, renew
from libs.storage.private import proof_of, with_proof

from .. import message
from ..domain.case import Doubt, ExceptionCase
from ..domain.claim import WorkClaim
from ..domain.event import RecordedEvent
from ..domain.match import AppliedMatch
from ..domain.posting import Posting
from .tables import APPLIED_MATCH, EVENT, EXCEPTION_CASE, POSTING

POSTINGS = Layout(Posting, POSTING)
EVENTS = Layout(RecordedEvent, EVENT)
MATCHES = Layout(AppliedMatch, APPLIED_MATCH)
CASES = Layout(ExceptionCase, EXCEPTION_CASE)
DOUBTS = Layout(Doubt, EXCEPTION_CASE)


def to_posting(row: Row[Any]) -> Posting:
    return POSTINGS.value_of(row, document_json=row.document, claim=_claim(row))


def posting_columns(posting: Posting) -> dict[str, Any]:
    """Every column but those of the lease."""
    return POSTINGS.row_of(posting) | {"document": posting.document_json}


def changed_columns(before: Posting, after: Posting) -> dict[str, Any]:
    """The columns that differ, and what is derived from them."""
    old, new = posting_columns(before), posting_columns(after)
    values = {name: value for name, value in new.items() if value != old[name]}
    if "document" in values:
        values["document_proof"] = proof_of(after.document_json)
    if not message.BUILT.isdisjoint(values):
        values |= with_proof("built_message", message.built_message(after))
    return values | with_proof("state_message", message.state_message(after))
    return values


def new_row(posting: Posting) -> dict[str, Any]:
    """Every column of a posting that nobody has claimed."""
    messages = with_proof("built_message", message.built_message(posting))
    messages |= with_proof("state_message", message.state_message(posting))
    return posting_columns(posting) | messages | {"document_proof": proof_of(posting.document_json), "fence": 0}


def to_recorded(row: Row[Any], postings: tuple[str, ...] = ()) -> RecordedEvent:
    return EVENTS.value_of(
        row,
        event=event_from_json(row.payload),
        digest=Digest(row.digest, row.digest_version),
        postings=postings,
        claim=_claim(row),
    )


def to_case(row: Row[Any]) -> ExceptionCase:
    return CASES.value_of(row, doubt=DOUBTS.value_of(row, actions=tuple(row.actions.split())))


def case_row(case: ExceptionCase) -> dict[str, Any]:
    return CASES.row_of(case) | DOUBTS.row_of(case.doubt) | {"actions": " ".join(case.doubt.actions), "resolution": ""}


def to_match(row: Row[Any], members: tuple[str, ...]) -> AppliedMatch:
    return MATCHES.value_of(row, members=members, claim=_claim(row))


def lease(key: str, claim: WorkClaim) -> Lease:
    """The claim as the lease library knows it."""
    return Lease(key, claim.fence, claim.owner, claim.until)


def renew_claims(
    connection: Connection, table: Table, claims: Mapping[str, WorkClaim | None], *, now: datetime, lease_seconds: float
) -> dict[str, WorkClaim]:
    """The new claims on the rows that are still ours, by their keys."""
    leases = [lease(key, claim) for key, claim in claims.items() if claim is not None]
    kept = renew(connection, table, leases, now=now, lease_seconds=lease_seconds)
    return {held.id: WorkClaim(held.owner, held.fence, held.until) for held in kept}


def _claim(row: Row[Any]) -> WorkClaim | None:
    if row.lease_owner is None or row.lease_until is None:
        return None
    return WorkClaim(row.lease_owner, row.fence, row.lease_until)
