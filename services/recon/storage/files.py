"""Imported files and the statements in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, exists, select

from libs.access import EVERYTHING, AccessScope
from libs.events import from_plain, to_text
from libs.listing import After, ListPart
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.layout import Layout
from libs.storage.repository import Repository
from libs.storage.rows import insert_new, insert_rows, parts

from ..domain.chain import Link, StatementSpan
from ..domain.errors import StatementUnknown
from ..domain.files import FileKind, ImportedFile, IncomingFile
from ..domain.statement import BankStatement, StatementEntry
from .mapping import SERVICE, oldest_first
from .seen import statements_of
from .tables import IMPORTED_FILE, STATEMENT, STATEMENT_LINE, STATEMENT_SPAN, TABLES

_FILES = Layout(IncomingFile, IMPORTED_FILE)
_STATEMENTS = Layout(BankStatement, STATEMENT)
_SPANS = Layout(StatementSpan, STATEMENT_SPAN)
_LINKS = Layout(Link, STATEMENT)


class Files(Repository):
    """Files, within a transaction."""

    def find(self, company: str, sha256: str) -> ImportedFile | None:
        """The first answer, marked as a duplicate; None for bytes never seen."""
        answer = self._connection.scalar(select(IMPORTED_FILE.c.answer).where(*_known(company, sha256)))
        return replace(from_plain(ImportedFile, json.loads(answer)), duplicate=True) if answer is not None else None

    def said_of(self, statement: BankStatement, reason: str) -> bool:
        """Whether the statement's file was found to be so when it was imported."""
        row = IMPORTED_FILE.c
        own = row.company == statement.company, row.transaction_id == statement.transaction_id
        answers = self._connection.scalars(select(row.answer).where(*own))
        findings = (finding for answer in answers for finding in from_plain(ImportedFile, json.loads(answer)).findings)
        return any((found.reason, found.position) == (reason, statement.statement_id) for found in findings)

    def origin(self, company: str, sha256: str) -> str:
        """The transaction under which the bytes came first; empty if they never came."""
        return self._connection.scalar(select(IMPORTED_FILE.c.transaction_id).where(*_known(company, sha256))) or ""

    def add(self, file: IncomingFile, kind: FileKind, answer: ImportedFile, now: datetime) -> bool:
        """False where the bytes were imported meanwhile."""
        row = _FILES.row_of(file) | {"kind": kind.value, "answer": to_text(answer), "imported_at": now}
        if not insert_new(self._connection, IMPORTED_FILE, [row], ["company", "sha256"]):
            return False
        subject = f"companies/{file.company}/files/{file.sha256}"
        detail = {"kind": kind.value, "lines": str(answer.lines), "findings": _reasons(answer)}
        entry = AuditEntry(
            subject, "FILE_IMPORTED", SERVICE, now, file.transaction_id, content_digest=file.sha256, detail=detail
        )
        AuditLog(self._connection, TABLES).append([entry])
        return True


class Statements(Repository):
    """Statements and their lines, within a transaction."""

    def add(self, statements: Sequence[BankStatement]) -> None:
        """To be followed by their entries, in the same transaction."""
        insert_rows(self._connection, STATEMENT, [_STATEMENTS.row_of(statement) for statement in statements])
        entries = [
            AuditEntry(statement.name, "STATEMENT_IMPORTED", SERVICE, statement.imported_at, statement.transaction_id)
            for statement in statements
        ]
        AuditLog(self._connection, TABLES).append(entries, new_subjects=True)

    def add_entries(self, entries: Sequence[StatementEntry]) -> None:
        rows = [(entry.statement, entry.sequence, entry.event) for entry in entries]
        insert_rows(self._connection, STATEMENT_LINE, rows, ["statement", "sequence", "event"])

    def is_taken(self, bank_accounts: Sequence[str], company: str) -> bool:
        """Whether statements of one of the accounts came for another company."""
        others = STATEMENT.c.bank_account.in_(sorted(set(bank_accounts))), STATEMENT.c.company != company
        return self._connection.scalar(select(STATEMENT.c.name).where(*others).limit(1)) is not None

    def add_spans(self, spans: Sequence[StatementSpan]) -> None:
        """Of statements with booked lines."""
        insert_rows(self._connection, STATEMENT_SPAN, [_SPANS.row_of(span) for span in spans])

    def links(self, company: str) -> list[Link]:
        """The statements that say when they begin and end, and with what balances."""
        joined = select(STATEMENT, STATEMENT_SPAN).join(STATEMENT_SPAN, STATEMENT_SPAN.c.statement == STATEMENT.c.name)
        stated = STATEMENT.c.opening.is_not(None), STATEMENT.c.closing.is_not(None)
        rows = self._connection.execute(joined.where(STATEMENT.c.company == company, *stated))
        return [_LINKS.value_of(row, span=_SPANS.value_of(row)) for row in rows]

    def get(self, name: str, scope: AccessScope = EVERYTHING) -> BankStatement:
        """Raises `StatementUnknown`."""
        row = self._connection.execute(
            select(STATEMENT).where(STATEMENT.c.name == name, statements_of(scope))
        ).one_or_none()
        if row is None:
            raise StatementUnknown("no such statement", field="name")
        return _STATEMENTS.value_of(row)

    def unbalanced(self, company: str) -> list[BankStatement]:
        """Those whose balances contradict their lines, and that no later copy corrects.

        Another page has the same number and corrects nothing: a copy begins or ends with the same balance.
        """
        later = STATEMENT.alias()
        tie = later.c.ties == 1, later.c.imported_at > STATEMENT.c.imported_at
        same_balance = (later.c.opening == STATEMENT.c.opening) | (later.c.closing == STATEMENT.c.closing)
        wrong = (
            STATEMENT.c.company == company,
            STATEMENT.c.ties == 0,
            STATEMENT.c.opening.is_not(None),
            STATEMENT.c.closing.is_not(None),
            ~exists().where(*_same(later), *tie, same_balance),
        )
        rows = self._connection.execute(select(STATEMENT).where(*wrong).order_by(STATEMENT.c.name))
        return list(map(_STATEMENTS.value_of, rows))

    def earlier_copies(self, statement: BankStatement, *, excluding: Sequence[str]) -> dict[str, list[str]]:
        """The same statement as it came before, by name, each with the events of its lines that are not in this one.

        `excluding` are statements that did not come before.
        """

        def lines(name: str) -> Select[tuple[str]]:
            return select(STATEMENT_LINE.c.event).where(STATEMENT_LINE.c.statement == name)

        here = lines(statement.name)
        found: dict[str, list[str]] = {}
        for name in self._numbered_as(statement):
            # One that shares no line is another statement: banks use their numbers again each year.
            shared = lines(name).intersect(here).limit(1)
            if name not in excluding and self._connection.scalar(shared) is not None:
                found[name] = sorted(self._connection.scalars(lines(name).except_(here)))
        return found

    def continued_by_number(self, statement: BankStatement, *, excluding: Sequence[str]) -> list[str]:
        """Names of those that came before with its number and the balance that it opens with."""
        if statement.opening is None:
            return []
        names = self._numbered_as(statement, STATEMENT.c.opening == statement.opening.minor_units)
        return [name for name in names if name not in excluding]

    def lines_present(self, names: Sequence[str], events: Sequence[str]) -> set[tuple[str, str]]:
        """(statement, event) of those of the events that stand in the statements."""
        # By event alone: with the statement in the question, SQLite would read all of the statement each time.
        found: set[tuple[str, str]] = set()
        line = STATEMENT_LINE.c
        for part in parts(sorted(set(events))):
            rows = self._connection.execute(select(line.statement, line.event).where(line.event.in_(part)))
            found |= {(row.statement, row.event) for row in rows if row.statement in names}
        return found

    def event_of(self, name: str, sequence: int) -> str:
        """The event that a booked line became; empty if there is none."""
        line = STATEMENT_LINE.c
        stands = select(line.event).where(line.statement == name, line.sequence == sequence)
        return self._connection.scalar(stands) or ""

    def _numbered_as(self, statement: BankStatement, *more: ColumnElement[bool]) -> list[str]:
        """Names of the others with the statement's number, of its account."""
        same = (
            STATEMENT.c.company == statement.company,
            STATEMENT.c.bank_account == statement.bank_account,
            STATEMENT.c.statement_id == statement.statement_id,
            STATEMENT.c.name != statement.name,
        )
        return list(self._connection.scalars(select(STATEMENT.c.name).where(*same, *more).order_by(STATEMENT.c.name)))

    def page(
        self, company: str, size: int, after: After | None, scope: AccessScope = EVERYTHING
    ) -> ListPart[BankStatement]:
        """Oldest first."""
        mine = (STATEMENT.c.company == company) & statements_of(scope)
        part = oldest_first(self._connection, STATEMENT, STATEMENT.c.imported_at, mine, size, after)
        return ListPart(list(map(_STATEMENTS.value_of, part.items)), part.after)


def _same(other: FromClause) -> tuple[ColumnElement[bool], ...]:
    """That it is the same statement of the same account, in whatever file."""
    return tuple(other.c[name] == STATEMENT.c[name] for name in ("company", "bank_account", "statement_id"))


def _known(company: str, sha256: str) -> tuple[Any, Any]:
    return IMPORTED_FILE.c.company == company, IMPORTED_FILE.c.sha256 == sha256


def _reasons(answer: ImportedFile) -> str:
    """Each reason once: the texts are for whoever sent the file, and audit entries hold no content."""
    return " ".join(sorted({finding.reason for finding in answer.findings})) or "none"
