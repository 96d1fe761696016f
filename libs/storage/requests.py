"""A request that changes something is answered once, however often it is sent: a repeat gets the first answer.

with new_uow() as uow:
    if first := uow.requests.begin(request, Posting, now):
        return first
    ...
    uow.requests.answer(request, posting)
    uow.commit()
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Table, select, update

from libs.errors import ConcordError, Kind
from libs.events import from_plain, to_text

from .rows import insert_new

T = TypeVar("T")


class RequestIdReused(ConcordError):
    """The request id was answered before, to a request with another content."""

    kind = Kind.CONFLICT
    reason = "REQUEST_ID_REUSED"


class Request:
    """A caller's intention: its id, and all that it asks for."""

    def __init__(self, request_id: str, *content: str) -> None:
        self.id = request_id
        self.fingerprint = _sha256(json.dumps(content))
        self._by_line = _sha256("\n".join(content))  # as some services made them once, so that repeats of then hold

    def is_same(self, fingerprint: str) -> bool:
        return fingerprint in (self.fingerprint, self._by_line)


class Requests:
    """First answers, within a transaction."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table

    def find(self, request: Request, kind: type[T]) -> T | None:
        """The first answer, if there is one. Raises `RequestIdReused`."""
        row = self._connection.execute(select(self._table).where(self._table.c.id == request.id)).one_or_none()
        if row is None:
            return None
        if not request.is_same(row.fingerprint):
            raise RequestIdReused("this request id was used for another request", field="request_id")
        return from_plain(kind, json.loads(row.answer))

    def begin(self, request: Request, kind: type[T], now: datetime) -> T | None:
        """None: nobody asked before, and nobody else can until this transaction ends. Else the first answer.

        A call with an id that another one is just answering waits for its commit. Raises `RequestIdReused`.
        """
        row = {"id": request.id, "fingerprint": request.fingerprint, "answer": "", "created_at": now}
        return None if insert_new(self._connection, self._table, [row], ["id"]) else self.find(request, kind)

    def answer(self, request: Request, answer: object) -> None:
        """What a repeat of a begun request will get."""
        begun = update(self._table).where(self._table.c.id == request.id)
        self._connection.execute(begun.values(answer=to_text(answer)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
