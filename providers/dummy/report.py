"""Dummy's settlement report as CSV: one movement a row, each with the payout that pays it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import BinaryIO

from libs.events import Event
from libs.formats.csv_rows import CsvRow, Repeats, csv_rows
from libs.formats.errors import FormatUnknown, SettlementDateInvalid, SettlementHeaderInvalid, SettlementNetMismatch
from libs.money import Money
from providers.base import Delivery, LineRole, Presentment, SettlementReport

from .movements import SUCCEEDED, Movement, movement_event

_COLUMNS = ("movement", "kind", "created", "currency", "gross", "fee", "net", "payout", "arrives", "order")


@dataclass(frozen=True, slots=True)
class DummyReportLine:
    """One row: a movement that succeeded, or it would not be paid out."""

    row: int
    movement: Movement
    net: Money
    payout_effective: date | None
    repeated: bool

    @property
    def balance_transaction(self) -> str:
        return self.movement.id

    @property
    def gross(self) -> Money:
        return self.movement.gross

    @property
    def fee(self) -> Money:
        return self.movement.fee

    @property
    def settlement_id(self) -> str | None:
        return self.movement.payout or (self.movement.id if self.movement.kind == "payout" else None)

    @property
    def role(self) -> LineRole:
        """A payout's return has a positive amount."""
        if self.movement.kind != "payout":
            return LineRole.PAID
        if self.net.minor_units < 0:
            return LineRole.PAYOUT
        return LineRole.RETURN if self.movement.id == self.settlement_id else LineRole.OTHER_RETURN

    @property
    def presentment(self) -> Presentment:
        """Dummy converts nothing: the customer paid what the balance shows."""
        return Presentment.STATED

    @property
    def converts(self) -> bool:
        return False

    def event(self, delivery: Delivery, transaction_id: str) -> Event:
        return movement_event(self.movement, delivery, transaction_id=transaction_id)


def lines(file: BinaryIO, zone: tzinfo) -> Iterator[DummyReportLine]:
    """The rows in order; raises `FormatError`."""
    columns, rows = csv_rows(file)
    if "movement" not in columns:
        raise FormatUnknown("not Dummy's settlement report", "line 1")
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise SettlementHeaderInvalid(f"the report lacks {', '.join(missing)}", "line 1")
    repeats = Repeats()
    for row in rows:
        yield _line(row, zone, repeats)


def _line(row: CsvRow, zone: tzinfo, repeats: Repeats) -> DummyReportLine:
    currency = row.currency("currency")
    gross, fee, net = (row.amount(name, currency) for name in ("gross", "fee", "net"))
    if gross - fee != net:
        raise SettlementNetMismatch("gross less fee is not net", row.place)
    created, arrives = row.time("created", zone), row.time("arrives", zone)
    if created is None:
        raise SettlementDateInvalid("created is empty", row.place)
    key = row.needed("movement")
    movement = Movement(
        id=key,
        kind=row.needed("kind"),
        status=SUCCEEDED,
        created=created,
        gross=gross,
        fee=fee,
        order=row.text("order") or "",
        payout=row.text("payout") or "",
    )
    return DummyReportLine(row.number, movement, net, arrives.date() if arrives else None, repeats.has(key, row))


def _begins_so(start: bytes) -> bool:
    return start.startswith(b"movement,kind,")


MOVEMENTS = SettlementReport(
    type="dummy.settlement",
    format="dummy.movements",
    title="Dummy's settlement report (CSV)",
    matches=_begins_so,
    lines=lines,
)
