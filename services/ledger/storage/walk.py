"""What the ledger tells of the walk afterwards: steps, totals, and the stream of changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, literal_column, select

from libs.events import event_from_json, from_plain
from libs.storage.audit import AuditLog, StoredEntry
from libs.storage.outbox import Outbox
from libs.storage.queues import count_waiting, interface_of
from libs.storage.totals import Totals

from ..domain.posting import Posting
from ..domain.walk import ControlTotal, PostingChange, QueueLength, Step
from .matches import PENDING
from .postings import HELD, QUEUED
from .rows import APPLIED_MATCH, APPLIED_MATCH_MEMBER, EVENT, POSTING, TABLES, TRANSACTION_ALIAS
from .transitions import topic_of


class WalkReader:
    """Within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def steps(self, transaction_id: str) -> tuple[str, list[Step]]:
        """The transaction that the id stands for, and its steps, oldest first."""
        alias = select(TRANSACTION_ALIAS.c.transaction_id).where(TRANSACTION_ALIAS.c.alias == transaction_id)
        meant: str = self._connection.scalar(alias) or transaction_id
        log = AuditLog(self._connection, TABLES)
        entries = log.of_transaction(meant)
        for match in self._matches_of(meant):
            entries += log.of_subject(match)
        steps = [_step(one) for one in entries]
        return meant, sorted(steps, key=lambda one: one.at)  # stable: entries of one instant stay in their order

    def totals(self, company: str) -> list[ControlTotal]:
        """Buckets that hold something or once did, in a stable order."""
        found = Totals(self._connection, TABLES).read(company=company)
        totals = [
            ControlTotal(
                key.interface,
                key.company,
                key.currency,
                key.day,
                key.bucket,
                one.count,
                one.minor_units,
                f"{one.names:064x}",
            )
            for key, one in found.items()
        ]
        return sorted(totals, key=lambda one: (one.day, one.interface, one.currency, one.bucket))

    def last_change(self) -> int:
        """The highest sealed number."""
        return Outbox(self._connection, TABLES).last_number()

    def changes_after(self, company: str, number: int, limit: int) -> list[PostingChange]:
        """Changes of postings after a sealed number, in their one order."""
        messages = Outbox(self._connection, TABLES).read_after(number, limit, topics=[topic_of(company)])
        keys = sorted({one.message.key for one in messages})
        if not keys:
            return []
        columns = (POSTING.c.key, POSTING.c.document, POSTING.c.content_digest, EVENT.c.payload)
        joined = select(*columns).join(EVENT, EVENT.c.name == POSTING.c.event).where(POSTING.c.key.in_(keys))
        now = {row.key: row for row in self._connection.execute(joined)}
        events = {key: event_from_json(row.payload) for key, row in now.items()}
        changes = []
        for one in messages:
            row = now[one.message.key]
            record = json.loads(one.message.payload)
            record |= {"document_json": row.document, "content_digest": row.content_digest, "claim": None}
            changes.append(PostingChange(one.number, from_plain(Posting, record), events[one.message.key]))
        return changes

    def queues(self, now: datetime) -> list[QueueLength]:
        """What waits, by whose it is; one query a queue, each on a partial index."""
        posting_s = (POSTING.c.company, interface_of(self._connection, POSTING.c.event))
        waiting: dict[str, tuple[Table, ColumnElement[bool], str, Sequence[ColumnElement[str]]]] = {
            "build": (
                EVENT,
                EVENT.c.build_due == literal_column("1"),
                "recorded_at",
                (EVENT.c.company, EVENT.c.interface),
            ),
            "post": (POSTING, QUEUED, "created_at", posting_s),
            "held": (POSTING, HELD, "created_at", posting_s),
            "match": (APPLIED_MATCH, PENDING, "created_at", (APPLIED_MATCH.c.company,)),
        }
        lengths: list[QueueLength] = []
        for queue, (table, condition, since, whose) in waiting.items():
            found = count_waiting(self._connection, table, condition, table.c[since], whose)
            lengths += [
                QueueLength(queue, one.depth, max(0.0, (now - one.oldest).total_seconds()), *one.whose) for one in found
            ] or [QueueLength(queue, 0, 0.0)]
        return lengths

    def _matches_of(self, transaction_id: str) -> Sequence[str]:
        """Names of the matches that join one of the transaction's postings."""
        mine = select(POSTING.c.key).where(POSTING.c.transaction_id == transaction_id)
        anchored = select(APPLIED_MATCH.c.name).where(APPLIED_MATCH.c.anchor.in_(mine))
        member = select(APPLIED_MATCH_MEMBER.c.match).where(APPLIED_MATCH_MEMBER.c.posting.in_(mine))
        return sorted(set(self._connection.scalars(anchored)) | set(self._connection.scalars(member)))


def _step(stored: StoredEntry) -> Step:
    entry = stored.entry
    word = entry.action.lower()
    told = {key: value for key, value in entry.detail.items() if key != "why"}  # people's words may name people
    resource_has_state = "/postings/" in entry.subject or "/matches/" in entry.subject
    return Step(
        at=entry.at,
        step=word,
        resource=entry.subject,
        state=word.removeprefix("match_") if resource_has_state else "",
        detail=", ".join(f"{key.replace('_', ' ')} {value}" for key, value in sorted(told.items())),
        reason=entry.reason,
    )
