"""Stripe's itemised reports as CSV: payout reconciliation, ending balance, and balance change from activity.

One row is one balance transaction, with net = gross - fee in the account's currency. Columns may stand in any order
and be chosen by the user; what is needed is refused if missing, what is unknown is let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from typing import BinaryIO

from libs.events import Event
from libs.formats.csv_rows import CsvRow, Repeats, csv_rows
from libs.formats.errors import (
    FormatUnknown,
    SettlementDateInvalid,
    SettlementHeaderInvalid,
    SettlementNetMismatch,
)
from libs.money import Money
from providers.base import Delivery, LineRole, Presentment, SettlementReport

from .events import StripeTransaction, balance_transaction_event, order_references, stripe_reference
from .words import PRESENTED

TRANSLATOR = "stripe-report/1"

_NEEDED = ("balance_transaction_id", "currency", "gross", "fee", "net", "reporting_category")
_METADATA = re.compile(r"(payment|refund|transfer)_metadata\[(.+)\]", re.DOTALL)
# A payout's own balance transaction, and its return by the bank: what leaves the balance, not what fills it.
_PAYOUT_CATEGORIES = frozenset({"payout", "payout_reversal"})


@dataclass(frozen=True, slots=True)
class StripeReportLine:
    """One balance transaction. Amounts are signed as Stripe signs them: `fee` above zero is taken from us.

    `created` and the dates are in UTC where the report has the `_utc` columns, else in the zone the reader was told.
    `repeated` marks a row that stands in the file again; it adds nothing to the totals.
    """

    row: int
    balance_transaction: str
    created: datetime
    available_on: date | None
    gross: Money
    fee: Money
    net: Money
    category: str
    payout_id: str | None
    payout_effective: date | None
    source_id: str | None
    description: str | None
    charge_id: str | None
    payment_intent_id: str | None
    customer_id: str | None
    customer_facing: Money | None
    metadata: tuple[tuple[str, str], ...]
    repeated: bool = False

    @property
    def settlement_id(self) -> str | None:
        return self.payout_id or (self.source_id if self.category in _PAYOUT_CATEGORIES else None)

    @property
    def role(self) -> LineRole:
        if self.category not in _PAYOUT_CATEGORIES:
            return LineRole.PAID
        if self.category == "payout":
            return LineRole.PAYOUT
        return LineRole.RETURN if self.source_id == self.settlement_id else LineRole.OTHER_RETURN

    @property
    def presentment(self) -> Presentment:
        """A charge always says what the customer paid; refunds and disputes need not where nothing is converted."""
        if self.customer_facing is not None or self.category not in PRESENTED:
            return Presentment.STATED
        return Presentment.MISSING if self.category == "charge" else Presentment.ASSUMED

    @property
    def converts(self) -> bool:
        return self.customer_facing is not None and self.customer_facing.currency != self.net.currency

    def event(self, delivery: Delivery, transaction_id: str) -> Event:
        issuer = delivery.source.interface
        named = (self.charge_id, self.payment_intent_id, self.payout_id)
        issued = [stripe_reference(name, issuer) for name in named if name]
        metadata = {name.partition("[")[2].rstrip("]"): text for name, text in self.metadata}
        transaction = StripeTransaction(
            id=self.balance_transaction,
            category=self.category,
            provider_type=self.category,
            source_id=self.source_id or "",
            gross=self.gross,
            fee=self.fee,
            created=self.created,
            available_on=self.available_on,
            customer_paid=self.customer_facing,
            customer_id=self.customer_id or "",
            references=(*order_references(metadata), *(reference for reference in issued if reference)),
        )
        return balance_transaction_event(
            transaction,
            company=delivery.source.company,
            account=delivery.source.account,
            provenance=delivery.provenance(TRANSLATOR, "balance_transaction", self.balance_transaction),
            transaction_id=transaction_id,
        )


def iter_stripe_report(source: BinaryIO, zone: tzinfo = UTC) -> Iterator[StripeReportLine]:
    """The rows in order; `zone` is that of the columns without `_utc`.

    Raises `FormatError`, at the latest at the end: what was yielded before must be thrown away then. The same balance
    transaction again with the same content is marked, with other content refused.
    """
    columns, rows = csv_rows(source)
    _check(columns)
    repeats = Repeats()
    for row in rows:
        line = _line(row, zone)
        yield replace(line, repeated=True) if repeats.has(line.balance_transaction, row) else line


def _line(row: CsvRow, zone: tzinfo) -> StripeReportLine:
    currency = row.currency("currency")
    gross, fee, net = (row.amount(name, currency) for name in ("gross", "fee", "net"))
    if gross.minor_units - fee.minor_units != net.minor_units:
        raise SettlementNetMismatch("gross less fee is not net", row.place)
    created = _time(row, "created", zone)
    if created is None:
        raise SettlementDateInvalid("the time of creation is missing", row.place)
    return StripeReportLine(
        row=row.number,
        balance_transaction=row.needed("balance_transaction_id"),
        created=created,
        available_on=_day(row, "available_on", zone),
        gross=gross,
        fee=fee,
        net=net,
        category=row.needed("reporting_category"),
        payout_id=row.text("automatic_payout_id"),
        payout_effective=_day(row, "automatic_payout_effective_at", zone),
        source_id=row.text("source_id"),
        description=row.text("description"),
        charge_id=row.text("charge_id"),
        payment_intent_id=row.text("payment_intent_id"),
        customer_id=row.text("customer_id"),
        customer_facing=_customer_facing(row),
        metadata=tuple((name, text) for name, text in row.fields.items() if text and _METADATA.fullmatch(name)),
    )


def _customer_facing(row: CsvRow) -> Money | None:
    if not (row.text("customer_facing_amount") and row.text("customer_facing_currency")):
        return None
    return row.amount("customer_facing_amount", row.currency("customer_facing_currency"))


def _time(row: CsvRow, name: str, zone: tzinfo) -> datetime | None:
    return row.time(f"{name}_utc", UTC) or row.time(name, zone)


def _day(row: CsvRow, name: str, zone: tzinfo) -> date | None:
    moment = _time(row, name, zone)
    return moment.date() if moment else None


def _check(columns: list[str]) -> None:
    """Raise if the report is another one."""
    missing = [name for name in _NEEDED if name not in columns]
    if "created" not in columns and "created_utc" not in columns:
        missing.append("created_utc")
    if "balance_transaction_id" in missing:
        raise FormatUnknown("not an itemised Stripe report", "line 1")
    if missing:
        raise SettlementHeaderInvalid(f"the report lacks {', '.join(missing)}", "line 1")


def _is_report(start: bytes) -> bool:
    return b"balance_transaction_id" in start.split(b"\n", 1)[0]


ITEMISED = SettlementReport(
    type="stripe.settlement",
    format="stripe.itemized",
    title="Stripe's itemised payout reconciliation and balance reports (CSV)",
    matches=_is_report,
    lines=iter_stripe_report,
)
