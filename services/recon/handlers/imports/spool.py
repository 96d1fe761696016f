"""A file as it streams in, and what its reader keeps aside: in memory while it is small, else on disk."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Generic, TypeVar, cast

from libs.events import from_plain, to_text

from ...domain.errors import FileChanged

IN_MEMORY_BYTES = 8 * 1024 * 1024
Record = TypeVar("Record")


@contextmanager
def spooled(chunks: Iterable[bytes], sha256: str) -> Iterator[BinaryIO]:
    """The whole file, at its start. Raises `FileChanged` unless the bytes are those of the digest."""
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        if digest.hexdigest() != sha256:
            raise FileChanged("the bytes are not those of the header's digest", field="header.sha256")
        file.seek(0)
        yield cast(BinaryIO, file)


class Spool(Generic[Record]):
    """Records of one dataclass, a line of JSON each, so that the transaction that stores them is short."""

    def __init__(self, kind: type[Record], file: IO[bytes]) -> None:
        self._kind = kind
        self._file = file

    def append(self, record: Record) -> None:
        self._file.write(to_text(record).encode() + b"\n")

    def batches(self, size: int) -> Iterator[list[Record]]:
        """From the start, in order."""
        self._file.seek(0)
        batch: list[Record] = []
        for line in self._file:
            batch.append(from_plain(self._kind, json.loads(line)))
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch


@contextmanager
def spool(kind: type[Record]) -> Iterator[Spool[Record]]:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        yield Spool(kind, cast("IO[bytes]", file))
