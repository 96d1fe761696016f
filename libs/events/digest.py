"""The digest by which the same fact is known, whichever channel told it.

Version 1: SHA-256 over UTF-8 lines `key=value`, in the order written here. It covers only what every
channel carries (kind, object, amounts, currencies, effective instant to the second); customer, references
and fee details are enrichment. Never over protobuf bytes, which change with versions.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from libs.money import Money

from .body import BalanceTransaction, BankLine, Order, OrderRefund
from .event import Event

DIGEST_VERSION = 1


def digest_of(event: Event) -> str:
    """Lower-case hexadecimal SHA-256 of the event's business content, `DIGEST_VERSION` 1."""
    body = event.body
    more = ""
    if isinstance(body, BalanceTransaction):
        presentment = _money(body.presentment) if body.presentment else ""
        more = f"fee={_money(body.fee)}\npresentment={presentment}\n"
    elif isinstance(body, Order | OrderRefund):
        more = f"tax={_money(body.tax_total)}\n"
    elif isinstance(body, BankLine):
        more = f"booking={body.booking_date.isoformat()}\noccurrence={body.occurrence}\n"
    text = (
        f"version={DIGEST_VERSION}\nkind={event.kind.value}\ncompany={event.company}\nobject={event.object_id}\n"
        f"effective={_instant(event.effective_at)}\namount={_money(event.amount)}\n{more}"
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _instant(at: datetime) -> str:
    """ISO 8601 in UTC, to the second, which is all that an event's instant has."""
    return f"{(at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()[:19]}Z"


def _money(amount: Money) -> str:
    return f"{amount.currency} {amount.minor_units}"
