"""Events and settlements as JSON text for a service's own store."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from libs.money import Money

from .body import BalanceTransaction, BankLine, Body, Evidence
from .commercial import CommercialDocument
from .event import Event, EventKind, Provenance, Reference
from .orders import as_document
from .records import from_plain, to_text
from .settlement import Settlement

_BODIES: dict[str, type[Body]] = {
    "document": CommercialDocument,
    "balance_transaction": BalanceTransaction,
    "bank_line": BankLine,
    "evidence": Evidence,
}
_TAG_OF = {body: tag for tag, body in _BODIES.items()}


def event_to_json(event: Event) -> str:
    """Compact JSON text; `event_from_json` gives back an equal event."""
    return f'{to_text(event)[:-1]},"is":"{_TAG_OF[type(event.body)]}"}}'


def event_from_json(text: str) -> Event:
    """Raises `EventInvalid` where the stored text contradicts itself."""
    record: dict[str, Any] = json.loads(text)
    if record["is"] in ("order", "order_refund"):
        record = as_document(record)
    return Event(
        name=record["name"],
        kind=EventKind(record["kind"]),
        company=record["company"],
        object_id=record["object_id"],
        effective_at=from_plain(datetime, record["effective_at"]),
        amount=from_plain(Money, record["amount"]),
        body=from_plain(_BODIES[record["is"]], record["body"]),
        provenance=from_plain(Provenance, record["provenance"]),
        transaction_id=record.get("transaction_id", ""),
        references=tuple(from_plain(Reference, reference) for reference in record.get("references", ())),
    )


def settlement_to_json(settlement: Settlement) -> str:
    return to_text(settlement)


def settlement_from_json(text: str) -> Settlement:
    return from_plain(Settlement, json.loads(text))
