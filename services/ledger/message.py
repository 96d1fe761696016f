"""A posting's message in two parts, as bytes that storage keeps beside the row.

One part changes only when the document is built anew, the other with every write. One after the other they are the
whole message, so a page of postings is what the database gives, end to end. A field's number in `posting.proto` must
never change.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from concord.ledger.v1 import posting_pb2

from libs.rpc.scalars import from_time

from .domain.document_type import DocumentType
from .domain.posting import Posting
from .domain.states import PostingState, Reconciliation

# The columns that `built_message` is made of.
BUILT = frozenset(
    {"key", "company", "event", "transaction_id", "created_at", "document", "content_digest", "mapping_revision"}
)
_TYPES = {kind.value: posting_pb2.Document.Type.Value(f"TYPE_{kind.name}") for kind in DocumentType}
_STATES = {state: posting_pb2.Posting.State.Value(f"STATE_{state.name}") for state in PostingState}
_RECONCILIATIONS = {
    reconciliation: posting_pb2.Posting.Reconciliation.Value(f"RECONCILIATION_{reconciliation.name}")
    for reconciliation in Reconciliation
}
_instant = lru_cache(from_time)  # a batch's instant stands in all of its postings


def built_message(posting: Posting) -> bytes:
    """A serialized `posting_pb2.Posting` with the fields made of `BUILT` alone."""
    return posting_pb2.Posting(
        name=posting.name,
        event=posting.event,
        transaction_id=posting.transaction_id,
        create_time=from_time(posting.created_at),
        content_digest=posting.content_digest,
        mapping_revision=posting.mapping_revision,
        document=_document(json.loads(posting.document_json)) if posting.document_json else None,
    ).SerializeToString()


def state_message(posting: Posting) -> bytes:
    """A serialized `posting_pb2.Posting` with all other fields."""
    return posting_pb2.Posting(
        state=_STATES[posting.state],
        reconciliation=_RECONCILIATIONS[posting.reconciliation],
        odoo_id=posting.odoo_id,
        odoo_model=posting.odoo_model,
        odoo_number=posting.odoo_number,
        posted_date=posting.posted_date,
        reason=posting.reason,
        reason_text=posting.reason_text,
        attempts=posting.tries,
        parked=posting.parked,
        update_time=_instant(posting.updated_at),
        post_time=None if posting.posted_at is None else _instant(posting.posted_at),
        etag=str(posting.version),
        approved_by=posting.approved_by,
        open_roles=posting.open_roles.split(),
    ).SerializeToString()


def whole_message(posting: Posting) -> bytes:
    """Both parts of a posting that was read whole."""
    return built_message(posting) + state_message(posting)


def _document(stored: dict[str, Any]) -> posting_pb2.Document:
    """Of `document_to_json`'s values: making a `Document` of them would cost several times as much."""
    return posting_pb2.Document(
        type=_TYPES[stored["type"]],
        journal=stored["journal"]["code"],
        date=stored["day"],
        original_date=stored["original_day"],
        currency_code=stored["currency"],
        lines=[_line(line) for line in stored["entry"]["lines"]],
        converts=stored["entry"].get("converts", False),
    )


def _line(stored: dict[str, Any]) -> posting_pb2.EntryLine:
    currency, minor_units = stored["amount"]
    company_currency, company_units = stored["balance"]
    party = stored.get("party")  # a field that has its default may be left out
    line = posting_pb2.EntryLine(
        role=stored["role"],
        account=stored["account"]["code"],
        label=stored.get("label", ""),
        party=party["name"] if party else "",
    )
    line.amount.currency_code, line.amount.minor_units = currency, minor_units
    line.balance.currency_code, line.balance.minor_units = company_currency, company_units
    return line
