"""Import a bank statement file: each booked line becomes an event on its way to the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import BinaryIO

from libs.access import EVERYTHING, AccessScope
from libs.formats.camt import iter_camt
from libs.formats.statement import StatementEnd, StatementHeader, StatementLine, line_references
from libs.handover import NewEvent
from libs.service.work import WorkContext

from ...domain.chain import StatementSpan
from ...domain.errors import BankAccountTaken, BankAccountUnknown, FileKindUnsupported
from ...domain.files import FileFindings, FileKind, ImportedFile, IncomingFile
from ...domain.names import statement_name
from ...domain.statement import BankStatement, StatementEntry
from ...storage.uow import NewUow, ReconUow
from .bank_events import LineTranslator, Occurrences, account_segment, is_named_by_bank
from .doubts import (
    FileDoubts,
    KeptLine,
    doubt_known_lines,
    doubt_lost_lines,
    doubts_of_line,
    doubts_of_statement,
    open_doubts,
    resolve_superseded,
)
from .file import STORED_AT_ONCE, import_file, queue_events
from .identity import Twins
from .spool import Spool

STATEMENT_FORMAT = "camt.053."
NUMBER_CHARACTERS = 64


def import_statement(
    file: IncomingFile,
    chunks: Iterable[bytes],
    new_uow: NewUow,
    work: WorkContext,
    scope: AccessScope = EVERYTHING,
) -> ImportedFile:
    """Store the statements and the events of their booked lines in one commit.

    The same bytes again get the first answer, and take up what the ledger had not taken. Raises a `FormatError` where
    the file must be refused, `FileChanged`, `FileKindUnsupported`, `BankAccountUnknown` for one beyond the scope,
    `BankAccountTaken` for one of another company.
    """
    return import_file(file, chunks, _FileReader(file, work, scope), new_uow, work)


class _FileReader:
    kind = FileKind.STATEMENT
    step = "statement_imported"
    record = KeptLine

    def __init__(self, file: IncomingFile, work: WorkContext, scope: AccessScope) -> None:
        self.file = file
        self.work = work
        self.scope = scope
        self.statements: list[BankStatement] = []
        self.spans: list[StatementSpan] = []
        self.findings = FileFindings()
        self.doubts = FileDoubts()
        self.lines = 0

    def read(self, source: BinaryIO, kept: Spool[KeptLine]) -> None:
        reading: _StatementReader | None = None
        occurrences: dict[str, Occurrences] = {}  # by account
        for part in iter_camt(source):
            if isinstance(part, StatementHeader):
                counted = occurrences.setdefault(part.account.identification, Occurrences())
                reading = _StatementReader(self, part, counted)
                reading.check()
            elif reading is not None and isinstance(part, StatementLine):
                reading.line(part, kept)
            elif reading is not None and isinstance(part, StatementEnd):
                reading.end(part)

    def store(self, kept: Spool[KeptLine], uow: ReconUow, link: str) -> ImportedFile:
        if uow.statements.is_taken([statement.bank_account for statement in self.statements], self.file.company):
            message = "statements of this account are another company's; see whose the account is, and send it for that"
            raise BankAccountTaken(message, field="header.company")
        names = [statement.name for statement in self.statements]
        uow.statements.add(self.statements)
        uow.statements.add_spans(self.spans)
        # Of this file, only the statements above one came before it.
        later = {name: names[place:] for place, name in enumerate(names)}
        earlier = {
            statement.name: uow.statements.continued_by_number(statement, excluding=later[statement.name])
            for statement in self.statements
        }
        known = sum(self._store_lines(lines, earlier, uow, link) for lines in kept.batches(STORED_AT_ONCE))
        for statement in self.statements:
            copies = uow.statements.earlier_copies(statement, excluding=later[statement.name])
            for doubt in doubt_lost_lines(statement, copies, self.findings, uow):
                self.doubts.add(doubt)
            resolve_superseded(self.file.company, copies, uow, self.work.clock())
        if known:
            self.findings.add("LINES_KNOWN", f"{known} of {self.lines} lines are known from another statement")
        open_doubts(self.file, self.doubts.all(), uow, self.work.clock())
        return ImportedFile(tuple(names), (), self.lines, self.findings.all())

    def _store_lines(self, lines: list[KeptLine], earlier: dict[str, list[str]], uow: ReconUow, link: str) -> int:
        """How many of the lines were known."""
        new = queue_events([line.event for line in lines], "line_imported", link, uow, self.work)
        uow.statements.add_entries([StatementEntry(line.statement, line.sequence, line.event.name) for line in lines])
        for line in doubt_known_lines(lines, new, earlier, self.doubts, uow):
            # Nothing but day and amount tells it from another line that happens to be equal.
            message = "a known line bears no reference that proves it the same"
            self.findings.add("LINE_AMBIGUOUS", message, f"entry {line.sequence}")
        return new.count(False)


class _StatementReader:
    """One statement of the file."""

    def __init__(self, whole: _FileReader, header: StatementHeader, occurrences: Occurrences) -> None:
        self._file = whole.file
        self._whole = whole
        self._header = header
        self._occurrences = occurrences
        self._translator = LineTranslator(whole.file, header, whole.work.ids, occurrences)
        self._name = statement_name(whole.file.company, whole.file.sha256, header.index)
        self._odd: list[tuple[str, str]] = []  # (reason, message) of the statement itself
        self._days: set[date] = set()

    def check(self) -> None:
        """Raises `FileKindUnsupported`, `BankAccountUnknown`."""
        header = self._header
        if not header.format.startswith(STATEMENT_FORMAT):
            # Its entries come again in the account's statement, batches as one sum: they would be counted twice.
            message = "a report or notification is not the account's statement; send the camt.053"
            raise FileKindUnsupported(message)
        interface = f"bank/{account_segment(header.account.identification)}"
        if not self._whole.scope.allows_interface(interface):
            raise BankAccountUnknown("no such source is configured", field="header.interface")
        if self._file.interface != interface:
            message = "the statement is of another account than the one that it was sent for"
            self._found("ACCOUNT_DIFFERS", message, f"statement {header.index}")

    def line(self, line: StatementLine, kept: Spool[KeptLine]) -> None:
        """Keep a booked line aside; money that is not known to be booked is not."""
        for finding in line.findings:
            self._whole.findings.add(finding.reason, finding.message, finding.position)
        if not line.booked:
            for doubt in doubts_of_line(self._name, line):
                self._whole.doubts.add(doubt)
            return
        self._whole.lines += 1
        event = self._translator.event(line)
        self._days.add(event.effective_at.date())
        kept.append(
            KeptLine(
                statement=self._name,
                sequence=line.sequence,
                equal_before=self._occurrences.before(event.object_id),
                has_references=bool(line_references(line)),
                amount=line.amount,
                doubts=doubts_of_line(self._name, line, event),
                event=NewEvent.of(event, self._file.transaction_id),
                twins=Twins.of(self._header.account.identification, line) if is_named_by_bank(line) else Twins(),
            )
        )

    def end(self, end: StatementEnd) -> None:
        """What the statement adds up to."""
        statement = self._statement(end)
        self._whole.statements.append(statement)
        if self._days:
            number = (self._header.electronic_sequence or self._header.legal_sequence or "")[:NUMBER_CHARACTERS]
            self._whole.spans.append(StatementSpan(self._name, number, min(self._days), max(self._days)))
        for finding in end.findings:
            position = finding.position or self._header.statement_id
            self._whole.findings.add(finding.reason, finding.message, position)
        if self._occurrences.may_overlap:
            message = "lines of the statement before, if they came again, would give the same balances"
            self._found("OVERLAP_POSSIBLE", message, self._header.statement_id)
        if end.ties is None:
            message = "the statement does not say both balances"
            self._whole.findings.add("BALANCES_MISSING", message, self._header.statement_id)
        for doubt in doubts_of_statement(statement, end, self._odd):
            self._whole.doubts.add(doubt)

    def _found(self, reason: str, message: str, position: str) -> None:
        self._whole.findings.add(reason, message, position)
        self._odd.append((reason, message))

    def _statement(self, end: StatementEnd) -> BankStatement:
        amounts = (end.opening, end.closing, end.credit_sum, end.debit_sum)
        stated = next((amount.currency for amount in amounts if amount is not None), self._header.currency or "")
        return BankStatement(
            name=self._name,
            company=self._file.company,
            statement_id=self._header.statement_id[:255],
            bank_account=self._header.account.identification[:255],
            currency=stated,
            opening=end.opening,
            closing=end.closing,
            credit_sum=end.credit_sum,
            debit_sum=end.debit_sum,
            lines=end.entries,
            ties=end.ties,
            imported_at=self._whole.work.clock(),
            transaction_id=self._file.transaction_id,
        )
