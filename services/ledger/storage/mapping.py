"""Rows to domain values and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Table

from libs.events import event_from_json
from libs.money import Money
from libs.storage.leases import Lease, renew

from .. import message
from ..domain.case import CaseState, Category, Doubt, ExceptionCase
from ..domain.claim import WorkClaim
from ..domain.event import BuildState, RecordedEvent
from ..domain.match import AppliedMatch, AppliedMatchState, AppliedMatchType
from ..domain.posting import Lane, Posting
from ..domain.states import PostingState, Reconciliation

# Fields of a posting that are columns of the same name and type.
_SAME = (
    "key", "company", "event", "transaction_id", "effect", "made_by", "created_at", "updated_at", "available_at",
    "content_digest", "ar_group", "mapping_revision", "mapping_by", "document_type", "odoo_model", "odoo_id",
    "odoo_number", "posted_date", "posted_at", "reason", "reason_text", "attempts", "tries", "first_attempt_at",
    "last_attempt_at", "hold_until", "approved_by", "version", "open_roles", "reconcile_at",
)  # fmt: skip


def to_posting(row: Row[Any]) -> Posting:
    values = row._mapping
    return Posting(
        **{name: values[name] for name in _SAME},
        state=PostingState(values["state"]),
        lane=Lane(values["lane"]),
        amount=Money(values["currency"], values["minor_units"]),
        document_json=values["document"],
        reconciliation=Reconciliation(values["reconciliation"]),
        parked=bool(values["parked"]),
        claim=_claim(values),
    )


def posting_columns(posting: Posting) -> dict[str, Any]:
    """Every column but those of the lease."""
    columns = {name: getattr(posting, name) for name in _SAME}
    columns["state"] = posting.state.value
    columns["lane"] = int(posting.lane)
    columns["minor_units"] = posting.amount.minor_units
    columns["currency"] = posting.amount.currency
    columns["document"] = posting.document_json
    columns["reconciliation"] = posting.reconciliation.value
    columns["parked"] = int(posting.parked)
    return columns


def changed_columns(before: Posting, after: Posting) -> dict[str, Any]:
    """The columns that differ, and what is derived from them."""
    old, new = posting_columns(before), posting_columns(after)
    values = {name: value for name, value in new.items() if value != old[name]}
    if not message.BUILT.isdisjoint(values):
        values["built_message"] = message.built_message(after)
    values["state_message"] = message.state_message(after)
    return values


def new_row(posting: Posting) -> dict[str, Any]:
    """Every column of a posting that nobody has claimed."""
    messages = {"built_message": message.built_message(posting), "state_message": message.state_message(posting)}
    return posting_columns(posting) | messages | {"fence": 0}


def to_recorded(row: Row[Any], postings: tuple[str, ...] = ()) -> RecordedEvent:
    values = row._mapping
    return RecordedEvent(
        event=event_from_json(values["payload"]),
        state=BuildState(values["state"]),
        digest=values["digest"],
        digest_version=values["digest_version"],
        recorded_by=values["recorded_by"],
        traceparent=values["traceparent"],
        postings=postings,
        mapping_revision=values["mapping_revision"],
        hold_until=values["hold_until"],
        attempts=values["attempts"],
        claim=_claim(values),
    )


def to_case(row: Row[Any]) -> ExceptionCase:
    values = row._mapping
    return ExceptionCase(
        id=values["id"],
        company=values["company"],
        subject=values["subject"],
        transaction_id=values["transaction_id"],
        doubt=Doubt(
            values["reason"],
            values["message"],
            Category(values["category"]),
            tuple(values["actions"].split()),
        ),
        state=CaseState(values["state"]),
        owner=values["owner"],
        at_risk=Money(values["currency"], values["minor_units"]),
        created_at=values["created_at"],
        resolved_at=values["resolved_at"],
    )


def to_match(row: Row[Any], members: tuple[str, ...]) -> AppliedMatch:
    values = row._mapping
    return AppliedMatch(
        name=values["name"],
        company=values["company"],
        type=AppliedMatchType(values["type"]),
        anchor=values["anchor"],
        members=members,
        rule_revision=values["rule_revision"],
        traceparent=values["traceparent"],
        applied_by=values["applied_by"],
        created_at=values["created_at"],
        available_at=values["available_at"],
        state=AppliedMatchState(values["state"]),
        parked=bool(values["parked"]),
        reason=values["reason"],
        reason_text=values["reason_text"],
        written_at=values["written_at"],
        attempts=values["attempts"],
        claim=_claim(values),
    )


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


def _claim(values: RowMapping) -> WorkClaim | None:
    owner: str | None = values["lease_owner"]
    until: datetime | None = values["lease_until"]
    if owner is None or until is None:
        return None
    return WorkClaim(owner, values["fence"], until)
