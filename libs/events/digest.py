"""The digest by which the same fact is known, whichever channel told it.

Version 1: SHA-256 over UTF-8 lines `key=value`, in the order written here. It covers only what every
channel carries (kind, object, amounts, currencies, effective instant to the second); customer, references
and fee details are enrichment. Never over protobuf bytes, which change with versions.
"""

from __future__ import annotations

import hashlib
from datetime import UTC

from libs.money import Money

from .body import BalanceTransaction, BankLine, Order, OrderRefund
from .event import Event

DIGEST_VERSION = 1


def digest_of(event: Event) -> str:
    """Lower-case hexadecimal SHA-256 of the event's business content, `DIGEST_VERSION` 1."""
    fields = [
        ("version", str(DIGEST_VERSION)),
        ("kind", event.kind.value),
        ("company", event.company),
        ("object", event.object_id),
        ("effective", event.effective_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("amount", _money(event.amount)),
    ]
    body = event.body
    if isinstance(body, BalanceTransaction):
        fields.append(("fee", _money(body.fee)))
        fields.append(("presentment", _money(body.presentment) if body.presentment else ""))
    elif isinstance(body, Order | OrderRefund):
        fields.append(("tax", _money(body.tax_total)))
    elif isinstance(body, BankLine):
        fields.append(("booking", body.booking_date.isoformat()))
        fields.append(("occurrence", str(body.occurrence)))
    text = "".join(f"{key}={value}\n" for key, value in fields)
    return hashlib.sha256(text.encode()).hexdigest()


def _money(amount: Money) -> str:
    return f"{amount.currency} {amount.minor_units}"
