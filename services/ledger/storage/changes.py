"""The stream of changes: each posting as it was after each of its changes, in one order."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from libs.access import AccessScope
from libs.access.names import posting_beginnings
from libs.events import event_from_json, from_plain
from libs.storage.outbox import Outbox

from ..domain.changes import PostingChange
from ..domain.posting import Posting
from .tables import EVENT, POSTING, TABLES
from .transitions import topic_of


class PostingChanges:
    """Changes of postings, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last_number(self) -> int:
        """The highest sealed number."""
        return Outbox(self._connection, TABLES).last_number()

    def after(self, company: str, scope: AccessScope, number: int, limit: int) -> list[PostingChange]:
        """Changes of postings of the scope's sources after a sealed number, in their one order."""
        beginnings = None if scope.every_source else posting_beginnings(scope, company)
        messages = Outbox(self._connection, TABLES).read_after(
            number, limit, topics=[topic_of(company)], beginnings=beginnings
        )
        keys = sorted({sealed.message.key for sealed in messages})
        if not keys:
            return []
        columns = (POSTING.c.key, POSTING.c.document, POSTING.c.content_digest, EVENT.c.payload)
        joined = select(*columns).join(EVENT, EVENT.c.name == POSTING.c.event).where(POSTING.c.key.in_(keys))
        now = {row.key: row for row in self._connection.execute(joined)}
        events = {key: event_from_json(row.payload) for key, row in now.items()}
        changes = []
        for sealed in messages:
            row = now[sealed.message.key]
            record = json.loads(sealed.message.payload)
            record |= {"document_json": row.document, "content_digest": row.content_digest, "claim": None}
            changes.append(PostingChange(sealed.number, from_plain(Posting, record), events[sealed.message.key]))
        return changes
