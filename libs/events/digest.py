"""The digest by which the same fact is known, whichever channel told it.

SHA-256 over UTF-8 lines `key=value`, in the order written here. It covers only what every channel carries (kind,
object, amounts, currencies, effective instant to the second); parties, references and fee details are enrichment.
Never over protobuf bytes, which change with versions. A stored digest is never computed again: a repeat is compared
under the version of the stored one.

| version | of what |
|---|---|
| 1 | every kind; of a document, the words of the orders that came before it |
| 2 | documents: their own kind and direction |
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from libs.money import Money

from .body import BalanceTransaction, BankLine
from .commercial import CommercialDocument, Direction, DocumentKind
from .event import Event

# What a document was called under version 1: there were shops' sales only.
_ORDER_WORDS = {
    (DocumentKind.INVOICE, Direction.SALE): "order_paid",
    (DocumentKind.CREDIT_NOTE, Direction.SALE): "order_refunded",
}


@dataclass(frozen=True, slots=True)
class Digest:
    """Lower-case hexadecimal SHA-256 of an event's business content, and the version of its encoding."""

    hex: str
    version: int

    @classmethod
    def of(cls, event: Event, version: int = 0) -> Digest:
        """Under the version of today, unless another one is named."""
        version = version or (2 if isinstance(event.body, CommercialDocument) else 1)
        return cls(_digest(event, version), version)

    def fits(self, event: Event) -> bool:
        """Whether the event has the content that this is the digest of."""
        return _digest(event, self.version) == self.hex


def _digest(event: Event, version: int) -> str:
    body = event.body
    kind, more = event.kind.value, ""
    if isinstance(body, BalanceTransaction):
        presentment = _money(body.presentment) if body.presentment else ""
        more = f"fee={_money(body.fee)}\npresentment={presentment}\n"
    elif isinstance(body, CommercialDocument):
        more = f"tax={_money(body.totals.tax)}\n"
        if version == 1:
            kind = _ORDER_WORDS.get((body.kind, body.direction), "")
        else:
            more += f"document={body.kind.value} {body.direction.value}\n"
    elif isinstance(body, BankLine):
        more = f"booking={body.booking_date.isoformat()}\noccurrence={body.occurrence}\n"
    text = (
        f"version={version}\nkind={kind}\ncompany={event.company}\nobject={event.object_id}\n"
        f"effective={_instant(event.effective_at)}\namount={_money(event.amount)}\n{more}"
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _instant(at: datetime) -> str:
    """ISO 8601 in UTC, to the second, which is all that an event's instant has."""
    return f"{(at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()[:19]}Z"


def _money(amount: Money) -> str:
    return f"{amount.currency} {amount.minor_units}"
