"""Answered requests, by their callers' ids."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, select

from libs.events import from_plain, to_plain
from libs.storage.rows import insert_rows

from ..domain.posting import Posting
from ..handlers.ports import Answered
from .rows import REQUEST


class Requests:
    """The first answers, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, request_id: str) -> Answered | None:
        row = self._connection.execute(select(REQUEST).where(REQUEST.c.id == request_id)).one_or_none()
        return Answered(row.fingerprint, from_plain(Posting, json.loads(row.answer))) if row else None

    def add(self, request_id: str, answered: Answered, now: datetime) -> None:
        """Raises `StorageConflict` if another call with this id was faster."""
        row = {
            "id": request_id,
            "fingerprint": answered.fingerprint,
            "posting": answered.posting.key,
            "answer": json.dumps(to_plain(answered.posting), separators=(",", ":"), ensure_ascii=False),
            "created_at": now,
        }
        insert_rows(self._connection, REQUEST, [row])
