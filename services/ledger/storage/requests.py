"""Answered requests, by their callers' ids."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from libs.events import from_plain, to_text
from libs.storage.rows import insert_new

from ..domain.posting import Posting
from .rows import REQUEST


@dataclass(frozen=True, slots=True)
class Answered:
    """The first answer to a request."""

    fingerprint: str
    posting: Posting


class Requests:
    """The first answers, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, request_id: str, fingerprint: str, now: datetime) -> Answered | None:
        """None: nobody asked before, and nobody else can until this transaction ends. Else the first answer.

        A call with an id that another one is just answering waits for its commit."""
        row = {"id": request_id, "fingerprint": fingerprint, "posting": "", "answer": "", "created_at": now}
        if insert_new(self._connection, REQUEST, [row], ["id"]):
            return None
        found = self._connection.execute(select(REQUEST).where(REQUEST.c.id == request_id)).one()
        return Answered(found.fingerprint, from_plain(Posting, json.loads(found.answer)))

    def answer(self, request_id: str, posting: Posting) -> None:
        """What a repeat will get."""
        values = {"posting": posting.key, "answer": to_text(posting)}
        self._connection.execute(update(REQUEST).where(REQUEST.c.id == request_id).values(values))
