"""Import a bank statement file: whole or not at all, each line an event on its way to the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO

from libs.events import Clock, IdSource
from libs.formats.camt import iter_camt
from libs.formats.statement import StatementEnd, StatementHeader, StatementLine, line_references

from ..domain.errors import FileKindUnsupported
from ..domain.files import FileKind, FileToImport, Findings, ImportedFile, Statement, StatementEntry, statement_name
from ..domain.walk import NewEvent
from .bank_events import LineTranslator, Occurrences, account_segment
from .ports import NewUnitOfWork, Tracing, UnitOfWork
from .spool import Records, records, spooled

STORED_AT_ONCE = 1000
STATEMENT_FORMAT = "camt.053."


@dataclass(slots=True)
class _Draft:
    """What one reading of the file found; its lines are kept aside."""

    statements: list[Statement] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    lines: int = 0


def import_statement(
    file: FileToImport, chunks: Iterable[bytes], new_uow: NewUnitOfWork, clock: Clock, ids: IdSource, tracing: Tracing
) -> ImportedFile:
    """Store the statements and the events of their booked lines in one commit.

    The same bytes again get the first answer, and take up what the ledger had not taken. Raises a `FormatError` where
    the file must be refused, `FileChanged`, `FileKindUnsupported`.
    """
    with spooled(chunks, file.sha256) as source:
        if (known := known_file(file, new_uow, clock)) is not None:
            return known
        with records() as kept:
            draft = _read(file, source, kept, clock(), ids)
            return _store(file, draft, kept, new_uow, clock(), tracing)


def known_file(file: FileToImport, new_uow: NewUnitOfWork, clock: Clock) -> ImportedFile | None:
    """The first answer to the same bytes; what the ledger refused of them is tried once more."""
    with new_uow() as uow:
        known = uow.files.find(file.company, file.sha256)
        if known is not None and uow.outbound.requeue(uow.files.origin(file.company, file.sha256), clock()):
            uow.progress.news(file.company)
            uow.commit()
    return known


def _read(file: FileToImport, source: BinaryIO, kept: Records, now: datetime, ids: IdSource) -> _Draft:
    draft = _Draft()
    translator: LineTranslator | None = None
    header: StatementHeader | None = None
    name = ""
    occurrences: dict[str, Occurrences] = {}  # by account
    for part in iter_camt(source):
        if isinstance(part, StatementHeader):
            counted = occurrences.setdefault(part.account.identification, Occurrences())
            header, translator = part, LineTranslator(file, part, ids, counted)
            name = statement_name(file.company, file.sha256, part.index)
            _check(file, part, draft.findings)
        elif isinstance(part, StatementLine):
            for one in part.findings:
                draft.findings.add(one.reason, one.message, one.position)
            if part.booked and translator is not None:
                draft.lines += 1
                event = NewEvent.of(translator.event(part), file.transaction_id)
                kept.append([name, part.sequence, bool(line_references(part)), *event])
        elif header is not None:
            draft.statements.append(_statement(file, name, header, part, now))
            for one in part.findings:
                draft.findings.add(one.reason, one.message, one.position)
            if translator is not None and translator.may_overlap:
                message = "lines of the statement before, told again, would give the same balances"
                draft.findings.add("OVERLAP_POSSIBLE", message, header.statement_id)
            if part.ties is None:
                draft.findings.add("BALANCES_MISSING", "the statement does not say both balances", header.statement_id)
    return draft


def _check(file: FileToImport, header: StatementHeader, findings: Findings) -> None:
    if not header.format.startswith(STATEMENT_FORMAT):
        # Its entries come again in the account's statement, batches as one sum: they would be counted twice.
        raise FileKindUnsupported("a report or notification is not the account's statement; send the camt.053")
    account = account_segment(header.account.identification)
    if file.interface != f"bank/{account}":
        message = "the statement is of another account than the one that it was sent for"
        findings.add("ACCOUNT_DIFFERS", message, f"statement {header.index}")


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


def _store(
    file: FileToImport, draft: _Draft, kept: Records, new_uow: NewUnitOfWork, now: datetime, tracing: Tracing
) -> ImportedFile:
    names = tuple(one.name for one in draft.statements)
    attributes = {"concord.interface": file.interface, "concord.company": file.company}
    with tracing.step("statement_imported", file.transaction_id, None, attributes) as step, new_uow() as uow:
        uow.statements.add(draft.statements)
        known = 0
        for batch in kept.batches(STORED_AT_ONCE):
            known += _store_lines(batch, draft.findings, uow, now, tracing, step.traceparent)
        for one in draft.statements:
            if dropped := uow.statements.dropped(one):
                message = f"{dropped} lines of this statement as it came before are not in it, but in the books"
                draft.findings.add("STATEMENT_CHANGED", message, one.statement_id)
        if known:
            draft.findings.add("LINES_KNOWN", f"{known} of {draft.lines} lines are known from another statement")
        answer = ImportedFile(names, (), draft.lines, draft.findings.texts())
        if not uow.files.add(file, FileKind.STATEMENT, answer, now):
            first = uow.files.find(file.company, file.sha256)
            return first if first is not None else replace(answer, duplicate=True)
        uow.progress.news(file.company)
        uow.commit()
    return answer


def _store_lines(
    batch: list[list[Any]], findings: Findings, uow: UnitOfWork, now: datetime, tracing: Tracing, link: str
) -> int:
    """How many of the lines were known."""
    events = [NewEvent(*fields) for _, _, _, *fields in batch]
    new = uow.outbound.add(events, now)
    entries = [StatementEntry(one[0], one[1], event.name) for one, event in zip(batch, events, strict=True)]
    uow.statements.add_entries(entries)
    known = 0
    for (_, sequence, has_references, *_), event in zip(batch, events, strict=True):
        if new[event.name]:
            told = {"concord.event": event.name}
            with tracing.transaction("line_imported", event.transaction_id, told, links=[link]):
                pass
            continue
        known += 1
        if not has_references:
            # Nothing but day and amount tells it from another line that happens to be equal.
            message = "a known line bears no reference that proves it the same"
            findings.add("LINE_AMBIGUOUS", message, f"entry {sequence}")
    return known
