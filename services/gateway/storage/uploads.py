"""Files that come in, in chunks, and samples of what was refused."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from libs.storage.layout import Layout
from libs.storage.private import with_proof
from libs.storage.repository import Repository
from libs.storage.rows import insert_rows

from ..domain.delivery import Refusal
from .tables import REFUSED, UPLOAD, UPLOAD_CHUNK

_REFUSALS = Layout(Refusal, REFUSED)


class Uploads(Repository):
    """Uploads, within a transaction."""

    def begin(self, upload: str, now: datetime) -> None:
        insert_rows(self._connection, UPLOAD, [{"id": upload, "begun_at": now, "kept": 0}])

    def append(self, upload: str, number: int, data: bytes) -> None:
        insert_rows(self._connection, UPLOAD_CHUNK, [{"upload": upload, "number": number, **with_proof("data", data)}])

    def chunk(self, upload: str, number: int) -> bytes | None:
        wanted = (UPLOAD_CHUNK.c.upload == upload) & (UPLOAD_CHUNK.c.number == number)
        data = self._connection.scalar(select(UPLOAD_CHUNK.c.data).where(wanted))
        return None if data is None else bytes(data)

    def drop(self, upload: str) -> None:
        self._connection.execute(delete(UPLOAD_CHUNK).where(UPLOAD_CHUNK.c.upload == upload))
        self._connection.execute(delete(UPLOAD).where(UPLOAD.c.id == upload))

    def drop_abandoned(self, begun_before: datetime, limit: int) -> int:
        abandoned = (UPLOAD.c.kept == 0) & (UPLOAD.c.begun_at < begun_before)
        found = self._connection.scalars(select(UPLOAD.c.id).where(abandoned).limit(limit)).all()
        for upload in found:
            self.drop(upload)
        return len(found)


class Refusals(Repository):
    """Samples, within a transaction."""

    def add(self, refusal: Refusal, *, id: str, now: datetime, keep: int) -> None:  # noqa: A002
        insert_rows(self._connection, REFUSED, [_REFUSALS.row_of(refusal) | {"id": id, "at": now}])
        of_source = (REFUSED.c.provider == refusal.provider) & (REFUSED.c.account == refusal.account)
        oldest_kept = (
            select(REFUSED.c.id).where(of_source).order_by(REFUSED.c.id.desc()).offset(keep - 1).limit(1)
        ).scalar_subquery()
        self._connection.execute(delete(REFUSED).where(of_source, REFUSED.c.id < oldest_kept))
