"""Files into the inbox: stored as they come, in chunks, and known by their digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from libs.events import Channel, Clock, IdSource
from libs.formats.errors import FileEmpty, FileTooLarge
from libs.formats.heads import looks_like_camt, stripped
from providers import PROVIDERS
from providers.base import Delivery, Source

from ..domain.delivery import NewDelivery
from ..domain.errors import FileKindUnknown
from ..storage.uow import NewUow

STATEMENT = "bank.statement"
BANK = "bank"  # sends files only, so it is no provider
SNIFFED_BYTES = 4096
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What a file is: the type of its delivery, and whose account it is for."""

    type: str
    provider: str


def file_of(head: bytes) -> KnownFile:
    """What a file is by its first bytes, never by its name or content type; raises `FileKindUnknown`."""
    if looks_like_camt(head):
        return KnownFile(STATEMENT, BANK)
    start = stripped(head)
    for registration in PROVIDERS.values():
        for report in registration.reports:
            if report.matches(start):
                return KnownFile(report.type, registration.name)
    raise FileKindUnknown("neither a camt statement nor a settlement report of a provider")


class Upload:
    """One file on its way in. Feed it, then `finish`; `abandon` it if it stops in between."""

    def __init__(self, new_uow: NewUow, clock: Clock, ids: IdSource, max_bytes: int) -> None:
        self._new_uow = new_uow
        self._clock = clock
        self._transaction_id = ids()
        self.max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        self._head = b""
        self._chunks = 0
        self.total_bytes = 0

    def feed(self, data: bytes) -> bool:
        """Take bytes; true once enough wait for `flush`. Raises `FileTooLarge`."""
        self.total_bytes += len(data)
        if self.total_bytes > self.max_bytes:
            raise FileTooLarge("the file is larger than allowed")
        self._digest.update(data)
        self._buffer += data
        if len(self._head) < SNIFFED_BYTES:
            self._head = (self._head + data)[:SNIFFED_BYTES]
        return len(self._buffer) >= CHUNK_BYTES

    def flush(self) -> None:
        """Write what waits, in whole chunks (the last one may be shorter), durably."""
        if not self._buffer:
            return
        with self._new_uow() as uow:
            if not self._chunks:
                uow.uploads.begin(self._transaction_id, self._clock())
            for start in range(0, len(self._buffer), CHUNK_BYTES):
                uow.uploads.append(self._transaction_id, self._chunks, bytes(self._buffer[start : start + CHUNK_BYTES]))
                self._chunks += 1
            uow.commit()
        self._buffer.clear()

    @property
    def known(self) -> KnownFile:
        """Raises `FileEmpty` or `FileKindUnknown`; only once the head, or all, is there."""
        if not self._head.strip():
            raise FileEmpty("the file is empty")
        return file_of(self._head)

    def finish(self, source: Source, file_name: str) -> NewDelivery:
        """The whole file as a delivery, to be stored by the writer. Raises `FileEmpty` or `FileKindUnknown`."""
        known = self.known
        self.flush()
        digest, now = self._digest.hexdigest(), self._clock()
        delivery = Delivery(source, Channel.FILE, digest, known.type, b"", digest, now, self._transaction_id)
        return NewDelivery(delivery, upload=self._transaction_id, body_bytes=self.total_bytes, file_name=file_name)

    def abandon(self) -> None:
        """Remove what was written: of a duplicate, or of a file that was cut off."""
        if self._chunks:
            with self._new_uow() as uow:
                uow.uploads.drop(self._transaction_id)
                uow.commit()
            self._chunks = 0


def drop_abandoned(new_uow: NewUow, begun_before: datetime, limit: int = 10) -> int:
    """Remove uploads that nobody finished: their process was killed."""
    with new_uow() as uow:
        dropped = uow.uploads.drop_abandoned(begun_before, limit)
        uow.commit()
    return dropped
