"""Exception cases."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from libs.access import AccessScope
from libs.access.names import event_beginnings, posting_beginnings
from libs.listing import After
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.pages import Listing
from libs.storage.rows import insert_rows
from libs.storage.scoping import begins_with

from ..domain.case import OWNERS, CaseState, Doubt, ExceptionCase
from ..domain.posting import LEDGER, Posting
from .mapping import case_row, to_case
from .matches import joins_within
from .tables import APPLIED_MATCH, EXCEPTION_CASE, TABLES

POSTED = "posted"  # the resolution of a case whose document reached Odoo
_OPEN = EXCEPTION_CASE.c.state == CaseState.OPEN.value
_LISTED = Listing(
    columns=list(EXCEPTION_CASE.c),
    order=[EXCEPTION_CASE.c.created_at, EXCEPTION_CASE.c.id],
    filters={
        "company": EXCEPTION_CASE.c.company == bindparam("company"),
        "state": EXCEPTION_CASE.c.state == bindparam("state"),
    },
)


class Cases:
    """The ledger's exception cases, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(
        self, company: str, state: CaseState | None, scope: AccessScope, size: int, after: After | None
    ) -> list[ExceptionCase]:
        given = {"company": company} | ({"state": state.value} if state else {})
        seen = None if scope.every_source else _is_seen(company, scope)
        return [to_case(row) for row in _LISTED.page(self._connection, given, size, after, only=seen)]

    def open(self, doubts: Sequence[tuple[str, Posting, Doubt]], now: datetime) -> None:
        """A case for each subject that is in doubt, for its posting's money, unless one of the same reason is open."""
        if not doubts:
            return
        subjects = sorted({subject for subject, _, _ in doubts})
        columns = (EXCEPTION_CASE.c.subject, EXCEPTION_CASE.c.reason)
        statement = select(*columns).where(_OPEN, EXCEPTION_CASE.c.subject.in_(subjects))
        known = {(subject, reason) for subject, reason in self._connection.execute(statement)}
        rows: list[dict[str, Any]] = []
        for subject, posting, doubt in doubts:
            if (subject, doubt.reason) not in known:
                known.add((subject, doubt.reason))
                rows.append(case_row(_case(subject, posting, doubt, now)))
        insert_rows(self._connection, EXCEPTION_CASE, rows)
        self._note("CASE_OPENED", [(row["company"], row["id"], row["transaction_id"]) for row in rows], now)

    def resolve(self, subjects: Sequence[str], resolution: str, now: datetime) -> None:
        """End the open cases of the subjects. Those of a document that posts in spite of its doubt outlive its posting:
        they bear no action, since the books are what somebody must explain."""
        mine = _OPEN & EXCEPTION_CASE.c.subject.in_(subjects)
        if resolution == POSTED:
            mine &= EXCEPTION_CASE.c.actions != ""
        values = {"state": CaseState.RESOLVED.value, "resolved_at": now, "resolution": resolution}
        named = (EXCEPTION_CASE.c.company, EXCEPTION_CASE.c.id, EXCEPTION_CASE.c.transaction_id)
        statement = update(EXCEPTION_CASE).where(mine).values(values).returning(*named)
        self._note("CASE_RESOLVED", [tuple(row) for row in self._connection.execute(statement)], now)

    def _note(self, action: str, cases: Sequence[tuple[str, str, str]], now: datetime) -> None:
        """Audit entries of (company, id, transaction)."""
        entries = [
            AuditEntry(f"companies/{company}/exceptions/{id_}", action, LEDGER, now, transaction_id)
            for company, id_, transaction_id in sorted(cases)
        ]
        AuditLog(self._connection, TABLES).append(entries)


def _is_seen(company: str, scope: AccessScope) -> ColumnElement[bool]:
    """Of a case: that its event or posting is of the scope's sources, or all that its match joins."""
    postings = [f"companies/{company}/postings/{beginning}" for beginning in posting_beginnings(scope, company)]
    matches = select(APPLIED_MATCH.c.name).where(APPLIED_MATCH.c.company == company, joins_within(scope))
    subject = EXCEPTION_CASE.c.subject
    return begins_with(subject, [*event_beginnings(scope), *postings]) | subject.in_(matches)


def case_id(subject: str, reason: str, now: datetime) -> str:
    """Repeatable, so that a run can be; a case that is opened again later is another one."""
    return hashlib.sha256(f"{subject}\n{reason}\n{now.isoformat()}".encode()).hexdigest()[:32]


def _case(subject: str, posting: Posting, doubt: Doubt, now: datetime) -> ExceptionCase:
    return ExceptionCase(
        id=case_id(subject, doubt.reason, now),
        company=posting.company,
        subject=subject,
        transaction_id=posting.transaction_id,
        doubt=doubt,
        state=CaseState.OPEN,
        owner=OWNERS[doubt.category],
        at_risk=posting.amount,
        created_at=now,
    )
