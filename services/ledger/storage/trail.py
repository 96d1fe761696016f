"""What the ledger did for a transaction, what became of its events, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, literal_column, select

from libs.access import AccessScope
from libs.access.names import allows_name
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.queues import interface_of
from libs.storage.scoping import in_companies, in_sources
from libs.trail import ControlTotal, QueueLength, Step
from libs.trail.reading import Queue, is_step, read_lengths, read_totals, resolve, step_of

from .matches import PENDING, joins_within
from .postings import HELD, QUEUED
from .tables import APPLIED_MATCH, APPLIED_MATCH_MEMBER, EVENT, POSTING, TABLES, TRANSACTION_ALIAS


class LedgerTrail:
    """`libs.trail.Trail` over the ledger's tables."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def steps(self, transaction_id: str, scope: AccessScope) -> tuple[str, list[Step]]:
        meant, _ = resolve(self._connection, TRANSACTION_ALIAS, transaction_id)
        if not scope.is_everything and not self._is_within(meant, scope):
            return transaction_id, []
        log = AuditLog(self._connection, TABLES)
        stored = [row for row in log.of_transaction(meant) if _is_seen(row.entry, scope)]
        for match in self._matches_of(meant, scope):
            stored += log.of_subject(match)
        steps = [_step(row.entry) for row in stored if is_step(row.entry)]
        return meant, sorted(steps, key=lambda step: step.at)  # stable: entries of one instant stay in their order

    def totals(self, company: str, scope: AccessScope) -> list[ControlTotal]:
        return read_totals(self._connection, TABLES, company, scope)

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

    def _is_within(self, transaction_id: str, scope: AccessScope) -> bool:
        """Whether an event of the transaction is of the scope's companies and sources."""
        mine = in_companies(EVENT.c.company, scope) & in_sources(EVENT.c.interface, scope)
        found = select(EVENT.c.name).where(EVENT.c.transaction_id == transaction_id, mine).limit(1)
        return self._connection.scalar(found) is not None

    def _matches_of(self, transaction_id: str, scope: AccessScope) -> Sequence[str]:
        """Names of the matches that join one of the transaction's postings, and nothing beyond the scope."""
        mine = select(POSTING.c.key).where(POSTING.c.transaction_id == transaction_id)
        anchored = select(APPLIED_MATCH.c.name).where(APPLIED_MATCH.c.anchor.in_(mine))
        member = select(APPLIED_MATCH_MEMBER.c.match).where(APPLIED_MATCH_MEMBER.c.posting.in_(mine))
        # One after the other: of a single condition with OR, PostgreSQL would read the whole table.
        names = set(self._connection.scalars(anchored)) | set(self._connection.scalars(member))
        seen = APPLIED_MATCH.c.name.in_(names) & in_companies(APPLIED_MATCH.c.company, scope) & joins_within(scope)
        return sorted(self._connection.scalars(select(APPLIED_MATCH.c.name).where(seen))) if names else []


def _is_seen(entry: AuditEntry, scope: AccessScope) -> bool:
    """Matches are looked for apart: whose one is, its name can't say."""
    return scope.is_everything or ("/matches/" not in entry.subject and allows_name(scope, entry.subject))


def _step(entry: AuditEntry) -> Step:
    has_state = "/postings/" in entry.subject or "/matches/" in entry.subject
    return step_of(entry, entry.action.lower().removeprefix("match_") if has_state else "")
