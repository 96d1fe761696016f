"""Import what a payout pays out: told by the provider's API, or by its report file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from libs.events import Channel, Clock, IdSource, Settlement, SettlementLine
from libs.formats.errors import FormatUnknown, SettlementEmpty
from libs.money import Money
from libs.service.work import WorkContext
from providers import PROVIDERS
from providers.base import Delivery, Presentment, ReportLine, Role, Source

from ..domain.files import FileFindings, FileKind, FileToImport, ImportedFile, settlement_name
from ..domain.settings import Settings
from ..domain.settlement import StoredSettlement, merged, total
from ..domain.walk import NewEvent
from ..storage.uow import NewUow, ReconUow
from .import_statement import known_file
from .spool import Records, records, spooled

STORED_AT_ONCE = 1000
HEAD_BYTES = 4096


def import_settlement(
    settlement: Settlement, delivery: str, transaction_id: str, new_uow: NewUow, clock: Clock
) -> StoredSettlement:
    """The payout as it is known now. A more complete composition replaces what was there; a repeat changes nothing.

    Raises `SettlementConflict` where the payout is known with another amount, account or currency.
    """
    name = settlement_name(settlement.company, settlement.payout_id)
    told = StoredSettlement(name, settlement, transaction_id, delivery)
    with new_uow() as uow:
        stored = _keep(told, uow, clock())
        uow.commit()
    return stored


def import_settlement_file(
    file: FileToImport,
    chunks: Iterable[bytes],
    new_uow: NewUow,
    work: WorkContext,
    settings: Settings,
) -> ImportedFile:
    """Store the file's payouts and the events of its rows in one commit.

    The same bytes again get the first answer. Raises a `FormatError` where the file must be refused, `FileChanged`,
    `SettlementConflict`.
    """
    registration = PROVIDERS.get(file.interface.partition("/")[0])
    if registration is None or not registration.reports:
        raise FormatUnknown("settlement files of this provider are not read")
    with spooled(chunks, file.sha256) as source:
        if (known := known_file(file, new_uow, work.clock())) is not None:
            return known
        with records() as kept:
            head = source.read(HEAD_BYTES)
            source.seek(0)
            report = registration.report_of(head)
            assert report is not None, "a provider with reports"
            draft = _Report(file, delivery_of(file, report.type), work.ids)
            draft.read(report.lines(source, ZoneInfo(settings.settlement_zone)), kept)
            return _store(file, draft, kept, new_uow, work)


def delivery_of(file: FileToImport, report_type: str) -> Delivery:
    """The file as the delivery that its lines' events come from."""
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


@dataclass(slots=True)
class _Payout:
    """One payout's rows."""

    lines: list[SettlementLine] = field(default_factory=list)
    transaction: str = ""
    paid: Money | None = None
    effective: date | None = None

    def add(self, line: ReportLine) -> None:
        self.effective = self.effective or line.payout_effective
        if line.role is Role.PAYOUT:
            self.transaction, self.paid = line.balance_transaction, -line.net
        elif line.role is not Role.RETURN:  # its own return is not what it paid
            self.lines.append(SettlementLine(line.balance_transaction, line.gross, line.fee, line.net))


class _Report:
    """What one reading of the file found; its events are kept aside."""

    def __init__(self, file: FileToImport, delivery: Delivery, ids: IdSource) -> None:
        self._file = file
        self._delivery = delivery
        self._ids = ids
        self._payouts: dict[tuple[str, str], _Payout] = {}
        self._converts = False  # some row was paid in another currency than its balance's
        self.findings = FileFindings()
        self.lines = 0

    def read(self, lines: Iterator[ReportLine], kept: Records) -> None:
        for line in lines:
            self.lines += 1
            place = f"line {line.row}"
            if line.repeated:
                self.findings.add("ROW_REPEATED", "a balance transaction stands twice", place)
                continue
            if line.settlement_id:
                self._payouts.setdefault((line.settlement_id, line.net.currency), _Payout()).add(line)
            self._converts = self._converts or line.converts
            event = NewEvent.of(line.event(self._delivery, self._ids()), self._file.transaction_id)
            kept.append([line.row, line.presentment.value, *event])
        if not self.lines:
            raise SettlementEmpty("the report has no rows")

    def events(self, batch: list[list[Any]]) -> list[NewEvent]:
        """The events of rows that were kept aside.

        A row that hides what the customer paid may be a conversion: without its other half it would be booked wrongly,
        and contradict what the provider's API tells.
        """
        events = []
        unknown = {Presentment.MISSING.value} | ({Presentment.ASSUMED.value} if self._converts else set())
        for row, presentment, *event in batch:
            if presentment in unknown:
                message = "the row does not say what the customer paid; the provider's API will tell"
                self.findings.add("PRESENTMENT_UNKNOWN", message, f"line {row}")
            else:
                events.append(NewEvent(*event))
        return events

    def settlements(self) -> list[StoredSettlement]:
        """In the order of the payouts' names."""
        found = []
        for (payout_id, currency), payout in sorted(self._payouts.items()):
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
                self.findings.add("PAYOUT_DOES_NOT_TIE", "the rows do not add up to their payout", payout_id)
            found.append(stored)
        return found


def _store(file: FileToImport, report: _Report, kept: Records, new_uow: NewUow, work: WorkContext) -> ImportedFile:
    now = work.clock()
    attributes = {"concord.interface": file.interface, "concord.company": file.company}
    with work.tracing.step("settlement_file_imported", file.transaction_id, None, attributes) as step, new_uow() as uow:
        names = tuple(_keep(one, uow, now).name for one in report.settlements())
        for batch in kept.batches(STORED_AT_ONCE):
            events = report.events(batch)
            new = uow.outbound.add(events, now)
            for name in sorted(uow.outbound.conflicts([one for one in events if not new[one.name]])):
                message = "a balance transaction was told with another content before"
                report.findings.add("EVENT_CONFLICT", message, name.rpartition("/")[2])
            for event in events:
                if new[event.name]:
                    told = {"concord.event": event.name}
                    with work.tracing.transaction("row_imported", event.transaction_id, told, links=[step.traceparent]):
                        pass
        answer = ImportedFile((), names, report.lines, report.findings.all())
        if not uow.files.add(file, FileKind.SETTLEMENT, answer, now):
            first = uow.files.find(file.company, file.sha256)
            return first if first is not None else replace(answer, duplicate=True)
        uow.progress.news(file.company)
        uow.commit()
    return answer


def _keep(told: StoredSettlement, uow: ReconUow, now: datetime) -> StoredSettlement:
    known = uow.settlements.find(told.name)
    stored = told if known is None else merged(known, told)
    if stored != known:
        uow.settlements.save(stored, known, now)
        uow.progress.news(told.settlement.company)
    return stored
