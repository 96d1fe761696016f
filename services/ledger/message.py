"""The part of a posting's message that changes only when its document is built anew, as bytes.

Storage keeps them beside the row, so that a page of postings reads no document; whoever tells of a posting merges the
rest into them. A field's number in `posting.proto` must never change.
"""

from __future__ import annotations

import json
from typing import Any

from concord.ledger.v1 import posting_pb2

from libs.rpc.wire import from_time

from .domain.document_type import DocumentType
from .domain.posting import Posting

# The columns that the bytes are made of.
COLUMNS = frozenset(
    {"key", "company", "event", "transaction_id", "created_at", "document", "content_digest", "mapping_revision"}
)
_TYPES = {kind.value: posting_pb2.Document.Type.Value(f"TYPE_{kind.name}") for kind in DocumentType}


def built_message(posting: Posting) -> bytes:
    """A serialized `posting_pb2.Posting` with the fields made of `COLUMNS` alone."""
    return posting_pb2.Posting(
        name=posting.name,
        event=posting.event,
        transaction_id=posting.transaction_id,
        create_time=from_time(posting.created_at),
        content_digest=posting.content_digest,
        mapping_revision=posting.mapping_revision,
        document=_document(json.loads(posting.document_json)) if posting.document_json else None,
    ).SerializeToString()


def _document(stored: dict[str, Any]) -> posting_pb2.Document:
    """Of `document_to_json`'s values: making a `Document` of them would cost several times as much."""
    return posting_pb2.Document(
        type=_TYPES[stored["type"]],
        journal=stored["journal"]["code"],
        date=stored["day"],
        original_date=stored["original_day"],
        currency_code=stored["currency"],
        lines=[_line(line) for line in stored["entry"]["lines"]],
        converts=stored["entry"]["converts"],
    )


def _line(stored: dict[str, Any]) -> posting_pb2.EntryLine:
    currency, minor_units = stored["amount"]
    company_currency, company_units = stored["balance"]
    line = posting_pb2.EntryLine(
        role=stored["role"],
        account=stored["account"]["code"],
        label=stored["label"],
        party=stored["party"]["name"] if stored["party"] else "",
    )
    line.amount.currency_code, line.amount.minor_units = currency, minor_units
    line.balance.currency_code, line.balance.minor_units = company_currency, company_units
    return line
