"""Import a provider's settlement report: one row a balance transaction, several payouts in one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO
from zoneinfo import ZoneInfo

from libs.events import Channel, Settlement, SettlementLine
from libs.formats.errors import FormatUnknown, SettlementEmpty
from libs.handover import NewEvent
from libs.money import Money
from libs.service.work import WorkContext
from providers import PROVIDERS
from providers.base import Delivery, LineRole, Presentment, ProviderRegistration, ReportLine, Source

from ...domain.files import FileFindings, FileKind, ImportedFile, IncomingFile
from ...domain.names import settlement_name
from ...domain.settings import Settings
from ...domain.settlement import StoredSettlement, total
from ...storage.uow import NewUow, ReconUow
from .file import STORED_AT_ONCE, import_file, queue_events
from .settlement import keep_settlement
from .spool import Spool

HEAD_BYTES = 4096


def import_settlement_file(
    file: IncomingFile, chunks: Iterable[bytes], new_uow: NewUow, work: WorkContext, settings: Settings
) -> ImportedFile:
    """Store the file's payouts and the events of its rows in one commit.

    The same bytes again get the first answer. Raises a `FormatError` where the file must be refused, `FileChanged`,
    `SettlementConflict`.
    """
    registration = PROVIDERS.get(file.interface.partition("/")[0])
    if registration is None or not registration.reports:
        raise FormatUnknown("settlement files of this provider are not read")
    zone = ZoneInfo(settings.settlement_zone)
    return import_file(file, chunks, _ReportReader(file, registration, zone, work), new_uow, work)


@dataclass(frozen=True, slots=True)
class _KeptRow:
    """A row as it is kept aside."""

    row: int
    presentment: Presentment
    event: NewEvent


@dataclass(slots=True)
class _PayoutRows:
    """What the rows of one payout say."""

    lines: list[SettlementLine] = field(default_factory=list)
    transaction: str = ""
    paid: Money | None = None
    effective: date | None = None

    def add(self, line: ReportLine) -> None:
        self.effective = self.effective or line.payout_effective
        if line.role is LineRole.PAYOUT:
            self.transaction, self.paid = line.balance_transaction, -line.net
        elif line.role is not LineRole.RETURN:  # its own return is not what it paid
            self.lines.append(SettlementLine(line.balance_transaction, line.gross, line.fee, line.net))


class _ReportReader:
    kind = FileKind.SETTLEMENT
    step = "settlement_file_imported"
    record = _KeptRow

    def __init__(
        self, file: IncomingFile, registration: ProviderRegistration, zone: ZoneInfo, work: WorkContext
    ) -> None:
        self._file = file
        self._registration = registration
        self._zone = zone
        self._work = work
        self._payouts: dict[tuple[str, str], _PayoutRows] = {}  # by payout and currency
        self._converts = False  # some row was paid in another currency than its balance's
        self._findings = FileFindings()
        self._lines = 0

    def read(self, source: BinaryIO, kept: Spool[_KeptRow]) -> None:
        head = source.read(HEAD_BYTES)
        source.seek(0)
        report = self._registration.report_of(head)
        assert report is not None, "a provider with reports"
        delivery = _delivery_of(self._file, report.type)
        for line in report.lines(source, self._zone):
            self._lines += 1
            if line.repeated:
                self._findings.add("ROW_REPEATED", "a balance transaction stands twice", f"line {line.row}")
                continue
            if line.settlement_id:
                self._payouts.setdefault((line.settlement_id, line.net.currency), _PayoutRows()).add(line)
            self._converts = self._converts or line.converts
            event = line.event(delivery, self._work.ids())
            kept.append(_KeptRow(line.row, line.presentment, NewEvent.of(event, self._file.transaction_id)))
        if not self._lines:
            raise SettlementEmpty("the report has no rows")

    def store(self, kept: Spool[_KeptRow], uow: ReconUow, link: str) -> ImportedFile:
        now = self._work.clock()
        names = [keep_settlement(settlement, uow, now).name for settlement in self._settlements()]
        for rows in kept.batches(STORED_AT_ONCE):
            events = self._events(rows)
            new = queue_events(events, "row_imported", link, uow, self._work)
            known = [event for event, is_new in zip(events, new, strict=True) if not is_new]
            for name in sorted(uow.events.conflicts(known)):
                message = "a balance transaction is known with another content"
                self._findings.add("EVENT_CONFLICT", message, name.rpartition("/")[2])
        return ImportedFile((), tuple(names), self._lines, self._findings.all())

    def _events(self, rows: list[_KeptRow]) -> list[NewEvent]:
        """The events of the rows that say what the customer paid.

        A row that hides it may be a conversion: without its other half it would be booked wrongly, and contradict what
        the provider's API tells.
        """
        hidden = {Presentment.MISSING} | ({Presentment.ASSUMED} if self._converts else set())
        for row in rows:
            if row.presentment in hidden:
                message = "the row does not say what the customer paid; the provider's API will tell"
                self._findings.add("PRESENTMENT_UNKNOWN", message, f"line {row.row}")
        return [row.event for row in rows if row.presentment not in hidden]

    def _settlements(self) -> list[StoredSettlement]:
        """In the order of the payouts' names."""
        return [self._settlement(*key, payout) for key, payout in sorted(self._payouts.items())]

    def _settlement(self, payout_id: str, currency: str, payout: _PayoutRows) -> StoredSettlement:
        lines = tuple(payout.lines)
        settlement = Settlement(
            company=self._file.company,
            interface=self._file.interface,
            payout_id=payout_id,
            payout_transaction=payout.transaction,
            amount=payout.paid or total(lines, currency),
            arrival_date=payout.effective,
            lines=lines,
            bank_references=(payout_id,),
        )
        stored = StoredSettlement(
            settlement_name(self._file.company, payout_id),
            settlement,
            self._file.transaction_id,
            self._file.delivery,
            stated=payout.paid is not None,
        )
        if stored.stated and lines and not stored.ties:
            self._findings.add("PAYOUT_DOES_NOT_TIE", "the rows do not add up to their payout", payout_id)
        return stored


def _delivery_of(file: IncomingFile, report_type: str) -> Delivery:
    """The file as the delivery that its rows' events come from."""
    provider, _, account = file.interface.partition("/")
    return Delivery(
        source=Source(provider, account, file.company, None),
        channel=Channel.FILE,
        id=file.delivery.rpartition("/")[2],
        type=report_type,
        body=b"",
        sha256=file.sha256,
        received_at=file.received_at,
        transaction_id=file.transaction_id,
    )
