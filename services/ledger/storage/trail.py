"""What the ledger did for a transaction, what became of its events, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, literal_column, select

from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.queues import interface_of
from libs.trail import ControlTotal, QueueLength, Step
from libs.trail.reading import Queue, read_lengths, read_totals, resolve, step_of

from .matches import PENDING
from .postings import HELD, QUEUED
from .tables import APPLIED_MATCH, APPLIED_MATCH_MEMBER, EVENT, POSTING, TABLES, TRANSACTION_ALIAS


class LedgerTrail:
    """`libs.trail.Trail` over the ledger's tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def steps(self, transaction_id: str) -> tuple[str, list[Step]]:
        meant, _ = resolve(self._connection, TRANSACTION_ALIAS, transaction_id)
        log = AuditLog(self._connection, TABLES)
        stored = log.of_transaction(meant)
        for match in self._matches_of(meant):
            stored += log.of_subject(match)
        steps = [_step(row.entry) for row in stored]
        return meant, sorted(steps, key=lambda step: step.at)  # stable: entries of one instant stay in their order

    def totals(self, company: str) -> list[ControlTotal]:
        return read_totals(self._connection, TABLES, company)

    def queues(self, now: datetime) -> list[QueueLength]:
        """Each on a partial index. A match joins several interfaces."""
        due = EVENT.c.build_due == literal_column("1")
        event_s = (EVENT.c.company, EVENT.c.interface)
        posting_s = (POSTING.c.company, interface_of(self._connection, POSTING.c.event))
        match_s = (APPLIED_MATCH.c.company,)
        queues = [
            Queue("build", EVENT, due, EVENT.c.recorded_at, event_s),
            Queue("post", POSTING, QUEUED, POSTING.c.created_at, posting_s),
            Queue("held", POSTING, HELD, POSTING.c.created_at, posting_s),
            Queue("match", APPLIED_MATCH, PENDING, APPLIED_MATCH.c.created_at, match_s),
        ]
        return read_lengths(self._connection, queues, now)

    def _matches_of(self, transaction_id: str) -> Sequence[str]:
        """Names of the matches that join one of the transaction's postings."""
        mine = select(POSTING.c.key).where(POSTING.c.transaction_id == transaction_id)
        anchored = select(APPLIED_MATCH.c.name).where(APPLIED_MATCH.c.anchor.in_(mine))
        member = select(APPLIED_MATCH_MEMBER.c.match).where(APPLIED_MATCH_MEMBER.c.posting.in_(mine))
        return sorted(set(self._connection.scalars(anchored)) | set(self._connection.scalars(member)))


def _step(entry: AuditEntry) -> Step:
    has_state = "/postings/" in entry.subject or "/matches/" in entry.subject
    return step_of(entry, entry.action.lower().removeprefix("match_") if has_state else "")
