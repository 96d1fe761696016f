"""Rows to domain values and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table

from libs.listing import After
from libs.money import Money

from ..domain.difference import Difference, DifferenceState
from ..domain.learning import Item, ItemKind
from ..domain.match import Certificate, Match, MatchSide, MatchState, MatchType

SERVICE = "recon"  # the actor of what nobody asked for


def listed_after(table: Table, time: Column[Any], after: After | None) -> list[ColumnElement[bool]]:
    """The rows that follow on a place in the order of time and name."""
    if after is None:
        return []
    at = datetime.fromisoformat(str(after[0]))
    return [(time > at) | ((time == at) & (table.c.name > after[1]))]


def item_row(item: Item) -> dict[str, Any]:
    return {
        "posting": item.posting,
        "company": item.company,
        "kind": item.kind.value,
        "interface": item.interface,
        "event": item.event,
        "event_kind": item.event_kind,
        "effect": item.effect,
        "object_id": item.object_id,
        "source_id": item.source_id,
        "transaction_id": item.transaction_id,
        "currency": item.amount.currency,
        "minor_units": item.amount.minor_units,
        "clearing_units": item.clearing_units,
        "day": item.day,
        "words": json.dumps(item.words, ensure_ascii=False),
        "side_open": int(item.side_open),
        "clearing_open": int(item.clearing_open),
        "receipt_open": int(item.receipt_open),
        "version": item.version,
        "learned_at": item.learned_at,
        "verdict": item.verdict,
        "nearest": item.nearest,
        "nearest_lacks": item.nearest_lacks,
    }


def to_item(row: Row[Any]) -> Item:
    return Item(
        posting=row.posting,
        company=row.company,
        kind=ItemKind(row.kind),
        interface=row.interface,
        event=row.event,
        event_kind=row.event_kind,
        effect=row.effect,
        object_id=row.object_id,
        source_id=row.source_id,
        transaction_id=row.transaction_id,
        amount=Money(row.currency, row.minor_units),
        clearing_units=row.clearing_units,
        day=row.day,
        words=tuple(json.loads(row.words)),
        side_open=bool(row.side_open),
        clearing_open=bool(row.clearing_open),
        receipt_open=bool(row.receipt_open),
        version=row.version,
        learned_at=row.learned_at,
        verdict=row.verdict,
        nearest=row.nearest,
        nearest_lacks=row.nearest_lacks,
    )


def to_match(row: Row[Any], sides: Sequence[MatchSide]) -> Match:
    anchor, *members = sides
    return Match(
        name=row.name,
        company=row.company,
        type=MatchType(row.type),
        state=MatchState(row.state),
        anchor=anchor,
        members=tuple(members),
        certificate=Certificate(row.rule_revision, row.rule, row.candidates, row.snapshot),
        created_at=row.created_at,
        traceparent=row.traceparent,
        written_at=row.written_at,
        reason=row.reason,
    )


def difference_columns(difference: Difference) -> dict[str, Any]:
    return {
        "state": difference.state.value,
        "subject": difference.subject,
        "transaction_id": difference.transaction_id,
        "reason": difference.reason,
        "message": difference.message,
        "currency": difference.amount.currency,
        "minor_units": difference.amount.minor_units,
        "nearest": difference.nearest,
        "nearest_lacks": difference.nearest_lacks,
        "owner": difference.owner,
        "created_at": difference.created_at,
        "updated_at": difference.updated_at,
        "version": difference.version,
        "proposed_by": difference.proposed_by,
        "why": difference.why,
        "decided_by": difference.decided_by,
    }


def to_difference(row: Row[Any]) -> Difference:
    return Difference(
        name=row.name,
        state=DifferenceState(row.state),
        subject=row.subject,
        transaction_id=row.transaction_id,
        reason=row.reason,
        message=row.message,
        amount=Money(row.currency, row.minor_units),
        created_at=row.created_at,
        updated_at=row.updated_at,
        nearest=row.nearest,
        nearest_lacks=row.nearest_lacks,
        owner=row.owner,
        version=row.version,
        proposed_by=row.proposed_by,
        why=row.why,
        decided_by=row.decided_by,
    )
