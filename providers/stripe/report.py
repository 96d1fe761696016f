"""Stripe's itemised reports as CSV: payout reconciliation, ending balance, and balance change from activity.

One row is one balance transaction, with net = gross - fee in the account's currency. Columns may stand in any order
and be chosen by the user; what is needed is refused if missing, what is unknown is let through.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from typing import BinaryIO

from libs.events import Event
from libs.formats.errors import (
    FileEmpty,
    FileEncoding,
    FileTruncated,
    FormatUnknown,
    SettlementAmountInvalid,
    SettlementCurrencyUnknown,
    SettlementDateInvalid,
    SettlementHeaderInvalid,
    SettlementNetMismatch,
    SettlementRowInvalid,
)
from libs.money import CURRENCIES, BadAmount, Money
from providers.base import Delivery, Presentment, Role, SettlementReport

from .events import StripeTransaction, balance_transaction_event, order_references, stripe_reference
from .words import PRESENTED

TRANSLATOR = "stripe-report/1"
LINE_BYTES = 1024 * 1024

_NEEDED = ("balance_transaction_id", "currency", "gross", "fee", "net", "reporting_category")
_METADATA = re.compile(r"(payment|refund|transfer)_metadata\[(.+)\]", re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
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
    def role(self) -> Role:
        if self.category not in _PAYOUT_CATEGORIES:
            return Role.PAID
        if self.category == "payout":
            return Role.PAYOUT
        return Role.RETURN if self.source_id == self.settlement_id else Role.OTHER_RETURN

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
    rows = _rows(source)
    header = next(rows, None)
    if header is None:
        raise FileEmpty("the file is empty")
    columns = _columns(header[1])
    seen: dict[str, tuple[int, int]] = {}
    for number, row in rows:
        if not row:
            continue  # an empty line at the end
        if len(row) != len(header[1]):
            raise SettlementRowInvalid("the row has another number of columns than the header", f"line {number}")
        line = _Row(number, {name: row[place].strip() for name, place in columns.items()}, zone).line()
        # A hash is enough to tell a repetition from a contradiction, and keeps a large report small.
        content = hash(tuple(row))
        known = seen.setdefault(line.balance_transaction, (number, content))
        if known[1] != content:
            raise SettlementRowInvalid("a balance transaction stands twice with different content", f"line {number}")
        yield line if known[0] == number else replace(line, repeated=True)


class _Row:
    """One row by column name; an empty field is an absent one."""

    def __init__(self, number: int, fields: dict[str, str], zone: tzinfo) -> None:
        self._place = f"line {number}"
        self._number = number
        self._fields = fields
        self._zone = zone

    def line(self) -> StripeReportLine:
        """The row's values; raises `FormatError`."""
        currency = self._currency("currency")
        gross, fee, net = (self._amount(name, currency) for name in ("gross", "fee", "net"))
        if gross.minor_units - fee.minor_units != net.minor_units:
            raise SettlementNetMismatch("gross less fee is not net", self._place)
        created = self._time("created")
        if created is None:
            raise SettlementDateInvalid("the time of creation is missing", self._place)
        return StripeReportLine(
            row=self._number,
            balance_transaction=self._needed("balance_transaction_id"),
            created=created,
            available_on=self._date("available_on"),
            gross=gross,
            fee=fee,
            net=net,
            category=self._needed("reporting_category"),
            payout_id=self._text("automatic_payout_id"),
            payout_effective=self._date("automatic_payout_effective_at"),
            source_id=self._text("source_id"),
            description=self._text("description"),
            charge_id=self._text("charge_id"),
            payment_intent_id=self._text("payment_intent_id"),
            customer_id=self._text("customer_id"),
            customer_facing=self._customer_facing(),
            metadata=tuple((name, text) for name, text in self._fields.items() if text and _METADATA.fullmatch(name)),
        )

    def _text(self, name: str) -> str | None:
        return self._fields.get(name) or None

    def _needed(self, name: str) -> str:
        text = self._text(name)
        if text is None:
            # A footer with totals looks like this; so does a row of another report.
            raise SettlementRowInvalid(f"{name} is empty", self._place)
        return text

    def _currency(self, name: str) -> str:
        code = self._needed(name).upper()
        if code not in CURRENCIES:
            raise SettlementCurrencyUnknown(f"{name} is not an ISO 4217 currency", self._place)
        return code

    def _amount(self, name: str, currency: str) -> Money:
        try:
            return Money.parse(currency, self._needed(name))
        except BadAmount:
            raise SettlementAmountInvalid(f"{name} is not an amount of its currency", self._place) from None

    def _customer_facing(self) -> Money | None:
        if not (self._text("customer_facing_amount") and self._text("customer_facing_currency")):
            return None
        return self._amount("customer_facing_amount", self._currency("customer_facing_currency"))

    def _time(self, name: str) -> datetime | None:
        for column, zone in ((f"{name}_utc", UTC), (name, self._zone)):
            text = self._text(column)
            if text is None:
                continue
            try:
                moment = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
                if moment is not None:
                    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
                    moment.astimezone(UTC)  # the first and the last day there is have no UTC in some zones
            except (ValueError, OverflowError):
                moment = None
            if moment is None:
                raise SettlementDateInvalid(f"{column} is not a time", self._place)
            return moment
        return None

    def _date(self, name: str) -> date | None:
        moment = self._time(name)
        return moment.date() if moment else None


def _columns(header: list[str]) -> dict[str, int]:
    """Place by column name; raises if the report is another one."""
    columns: dict[str, int] = {}
    for place, title in enumerate(header):
        name = title.strip()
        if name in columns:
            raise SettlementHeaderInvalid("a column is named twice", "line 1")
        columns[name] = place
    missing = [name for name in _NEEDED if name not in columns]
    if "created" not in columns and "created_utc" not in columns:
        missing.append("created_utc")
    if "balance_transaction_id" in missing:
        raise FormatUnknown("not an itemised Stripe report", "line 1")
    if missing:
        raise SettlementHeaderInvalid(f"the report lacks {', '.join(missing)}", "line 1")
    return columns


def _rows(source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of each record; raises `FormatError` on bytes that are no CSV."""
    reader = csv.reader(_lines(source), strict=True)
    try:
        for row in reader:
            if any("\x00" in value for value in row):
                raise SettlementRowInvalid("a NUL character", f"line {reader.line_num}")
            yield reader.line_num, row
    except csv.Error as error:
        # The only end that `strict` complains of is one inside quotes.
        if "unexpected end of data" in str(error):
            raise FileTruncated("the report is cut off inside a quoted field") from None
        raise SettlementRowInvalid("not well-formed CSV", f"line {reader.line_num}") from None


def _lines(source: BinaryIO) -> Iterator[str]:
    """Decoded lines with their ends, which a quoted field may hold; raises `FormatError`."""
    number = 0
    while raw := source.readline(LINE_BYTES):
        number += 1
        if len(raw) == LINE_BYTES:
            raise SettlementRowInvalid("the line is too long", f"line {number}")
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise FileEncoding("not UTF-8", f"line {number}") from None


def _is_report(start: bytes) -> bool:
    return b"balance_transaction_id" in start.split(b"\n", 1)[0]


ITEMISED = SettlementReport(
    type="stripe.settlement",
    format="stripe.itemized",
    title="Stripe's itemised payout reconciliation and balance reports (CSV)",
    matches=_is_report,
    lines=iter_stripe_report,
)
