"""A file as it streams in: kept aside, checked against its digest, then read from its start."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from ..domain.errors import FileChanged

IN_MEMORY_BYTES = 8 * 1024 * 1024


@contextmanager
def spooled(chunks: Iterable[bytes], sha256: str) -> Iterator[BinaryIO]:
    """The whole file, on disk if it is large. Raises `FileChanged` unless the bytes are those of the digest."""
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        if digest.hexdigest() != sha256:
            raise FileChanged("the bytes are not those of the header's digest", field="header.sha256")
        file.seek(0)
        yield cast(BinaryIO, file)


class Records:
    """Plain values kept aside while a file is read, so that the transaction that stores them is short."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def append(self, value: Any) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    def batches(self, size: int) -> Iterator[list[Any]]:
        """From the start, in order."""
        self._file.seek(0)
        batch: list[Any] = []
        for line in self._file:
            batch.append(json.loads(line))
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch


@contextmanager
def records() -> Iterator[Records]:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        yield Records(cast("IO[bytes]", file))
