"""Import a bank statement file: whole or not at all, each line an event on its way to the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

from libs.formats.camt import iter_camt
from libs.formats.statement import StatementEnd, StatementHeader, StatementLine, line_references
from libs.money import Money
from libs.service.work import WorkContext

from ..domain.doubts import Doubt
from ..domain.errors import FileKindUnsupported
from ..domain.files import FileFindings, FileKind, FileToImport, ImportedFile, Statement, StatementEntry, statement_name
from ..domain.walk import NewEvent
from ..storage.uow import NewUow, ReconUow
from .bank_events import LineTranslator, Occurrences, account_segment
from .spool import Records, records, spooled
from .statement_doubts import (
    Doubts,
    KeptLine,
    changed,
    doubt_lines,
    of_line,
    of_statement,
    open_doubts,
    settle_superseded,
)

STORED_AT_ONCE = 1000
STATEMENT_FORMAT = "camt.053."


@dataclass(slots=True)
class _Draft:
    """What one reading of the file found; its lines are kept aside."""

    statements: list[Statement] = field(default_factory=list)
    findings: FileFindings = field(default_factory=FileFindings)
    doubts: Doubts = field(default_factory=Doubts)
    lines: int = 0


def import_statement(file: FileToImport, chunks: Iterable[bytes], new_uow: NewUow, work: WorkContext) -> ImportedFile:
    """Store the statements and the events of their booked lines in one commit.

    The same bytes again get the first answer, and take up what the ledger had not taken. Raises a `FormatError` where
    the file must be refused, `FileChanged`, `FileKindUnsupported`.
    """
    with spooled(chunks, file.sha256) as source:
        if (known := known_file(file, new_uow, work.clock())) is not None:
            return known
        with records() as kept:
            draft = _read(file, source, kept, work)
            return _store(file, draft, kept, new_uow, work)


def known_file(file: FileToImport, new_uow: NewUow, now: datetime) -> ImportedFile | None:
    """The first answer to the same bytes; what the ledger refused of them is tried once more."""
    with new_uow() as uow:
        known = uow.files.find(file.company, file.sha256)
        if known is not None and uow.outbound.requeue(uow.files.origin(file.company, file.sha256), now):
            uow.progress.news(file.company)
            uow.commit()
    return known


def _read(file: FileToImport, source: BinaryIO, kept: Records, work: WorkContext) -> _Draft:
    now = work.clock()
    draft = _Draft()
    reading: _Reading | None = None
    occurrences: dict[str, Occurrences] = {}  # by account
    for part in iter_camt(source):
        if isinstance(part, StatementHeader):
            counted = occurrences.setdefault(part.account.identification, Occurrences())
            reading = _Reading(file, part, LineTranslator(file, part, work.ids, counted), draft)
            reading.check()
        elif reading is not None and isinstance(part, StatementLine):
            reading.line(part, kept)
        elif reading is not None and isinstance(part, StatementEnd):
            reading.end(part, now)
    return draft


class _Reading:
    """One statement of the file."""

    def __init__(self, file: FileToImport, header: StatementHeader, translator: LineTranslator, draft: _Draft) -> None:
        self._file = file
        self._header = header
        self._translator = translator
        self._draft = draft
        self._name = statement_name(file.company, file.sha256, header.index)
        self._odd: list[tuple[str, str]] = []  # (reason, message) of the statement itself

    def check(self) -> None:
        """Raises `FileKindUnsupported`."""
        header = self._header
        if not header.format.startswith(STATEMENT_FORMAT):
            # Its entries come again in the account's statement, batches as one sum: they would be counted twice.
            message = "a report or notification is not the account's statement; send the camt.053"
            raise FileKindUnsupported(message)
        if self._file.interface != f"bank/{account_segment(header.account.identification)}":
            message = "the statement is of another account than the one that it was sent for"
            self._found("ACCOUNT_DIFFERS", message, f"statement {header.index}")

    def line(self, line: StatementLine, kept: Records) -> None:
        """Keep a booked line aside; money that is not known to be booked is not."""
        for one in line.findings:
            self._draft.findings.add(one.reason, one.message, one.position)
        doubts = of_line(line)
        if not line.booked:
            for reason, message, currency, units in doubts:
                doubt = Doubt(self._name, reason, message, Money(currency, units), line.sequence)
                self._draft.doubts.add(doubt)
            return
        self._draft.lines += 1
        event = self._translator.event(line)
        new = NewEvent.of(event, self._file.transaction_id)
        amount = (line.amount.currency, line.amount.minor_units)
        before = self._translator.occurrences.before(event.object_id)
        kept.append(KeptLine(self._name, line.sequence, before, bool(line_references(line)), doubts, amount, new))

    def end(self, end: StatementEnd, now: datetime) -> None:
        """What the statement adds up to."""
        statement = _statement(self._file, self._name, self._header, end, now)
        self._draft.statements.append(statement)
        for one in end.findings:
            self._draft.findings.add(one.reason, one.message, one.position)
        if self._translator.occurrences.may_overlap:
            message = "lines of the statement before, told again, would give the same balances"
            self._found("OVERLAP_POSSIBLE", message, self._header.statement_id)
        if end.ties is None:
            message = "the statement does not say both balances"
            self._draft.findings.add("BALANCES_MISSING", message, self._header.statement_id)
        for doubt in of_statement(statement, end, self._odd):
            self._draft.doubts.add(doubt)

    def _found(self, reason: str, message: str, position: str) -> None:
        self._draft.findings.add(reason, message, position)
        self._odd.append((reason, message))


def _statement(file: FileToImport, name: str, header: StatementHeader, end: StatementEnd, now: datetime) -> Statement:
    amounts = (end.opening, end.closing, end.credit_sum, end.debit_sum)
    currency = next((one.currency for one in amounts if one is not None), header.currency or "")
    return Statement(
        name=name,
        company=file.company,
        statement_id=header.statement_id[:255],
        bank_account=header.account.identification[:255],
        currency=currency,
        opening=end.opening,
        closing=end.closing,
        credit_sum=end.credit_sum,
        debit_sum=end.debit_sum,
        lines=end.entries,
        ties=bool(end.ties),
        imported_at=now,
        transaction_id=file.transaction_id,
    )


def _store(file: FileToImport, draft: _Draft, kept: Records, new_uow: NewUow, work: WorkContext) -> ImportedFile:
    now = work.clock()
    names = tuple(one.name for one in draft.statements)
    attributes = {"concord.interface": file.interface, "concord.company": file.company}
    with work.tracing.step("statement_imported", file.transaction_id, None, attributes) as step, new_uow() as uow:
        uow.statements.add(draft.statements)
        # What of this file came before each of its statements: those above it.
        besides = {one.name: names[place:] for place, one in enumerate(draft.statements)}
        retold = {one.name: uow.statements.retold(one, besides[one.name]) for one in draft.statements}
        known = 0
        for batch in kept.batches(STORED_AT_ONCE):
            lines = [KeptLine(*one) for one in batch]
            known += _store_lines(lines, retold, draft, uow, work, step.traceparent)
        for one in draft.statements:
            copies = uow.statements.copies(one, besides[one.name])
            for doubt in changed(one, copies, draft.findings, uow):
                draft.doubts.add(doubt)
            settle_superseded(file.company, copies, uow, now)
        if known:
            draft.findings.add("LINES_KNOWN", f"{known} of {draft.lines} lines are known from another statement")
        answer = ImportedFile(names, (), draft.lines, draft.findings.all())
        if not uow.files.add(file, FileKind.STATEMENT, answer, now):
            first = uow.files.find(file.company, file.sha256)
            return first if first is not None else replace(answer, duplicate=True)
        open_doubts(file, draft.doubts.all(), uow, now)
        uow.progress.news(file.company)
        uow.commit()
    return answer


def _store_lines(
    lines: list[KeptLine],
    retold: dict[str, list[str]],
    draft: _Draft,
    uow: ReconUow,
    work: WorkContext,
    link: str,
) -> int:
    """How many of the lines were known."""
    events = [one.new_event for one in lines]
    stored = uow.outbound.add(events, work.clock())
    rows = zip(lines, events, strict=True)
    uow.statements.add_entries([StatementEntry(one.statement, one.sequence, event.name) for one, event in rows])
    # One that stands twice here was known the second time.
    new = [stored.pop(event.name, False) for event in events]
    for event, is_new in zip(events, new, strict=True):
        if is_new:
            told = {"concord.event": event.name}
            with work.tracing.transaction("line_imported", event.transaction_id, told, links=[link]):
                pass
    for line in doubt_lines(lines, new, retold, draft.doubts, uow):
        # Nothing but day and amount tells it from another line that happens to be equal.
        message = "a known line bears no reference that proves it the same"
        draft.findings.add("LINE_AMBIGUOUS", message, f"entry {line.sequence}")
    return new.count(False)
