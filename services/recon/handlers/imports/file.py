"""What every file goes through: its bytes are proved, it is known or not, read aside, then stored in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO, Protocol, TypeVar

from libs.handover import NewEvent
from libs.service.work import WorkContext

from ...domain.files import FileKind, ImportedFile, IncomingFile
from ...storage.uow import NewUow, ReconUow
from .spool import Spool, spool, spooled

STORED_AT_ONCE = 1000
Record = TypeVar("Record")


class FileReader(Protocol[Record]):
    """Reads one file. What it keeps aside comes back to it when the file is stored."""

    @property
    def kind(self) -> FileKind: ...

    @property
    def step(self) -> str:
        """What the import is called in traces."""

    @property
    def record(self) -> type[Record]:
        """What it keeps aside: a dataclass."""

    def read(self, source: BinaryIO, kept: Spool[Record]) -> None:
        """Raises a `FormatError` or another `ConcordError` where the file must be refused."""

    def store(self, kept: Spool[Record], uow: ReconUow, link: str) -> ImportedFile:
        """Everything but the file itself; `link` is the import's traceparent."""


def import_file(
    file: IncomingFile, chunks: Iterable[bytes], reader: FileReader[Record], new_uow: NewUow, work: WorkContext
) -> ImportedFile:
    """Store what the file holds, whole or not at all.

    The same bytes again get the first answer, and take up what the ledger had not taken. Raises what the reader
    raises, and `FileChanged`.
    """
    with spooled(chunks, file.sha256) as source:
        if (known := _known(file, new_uow, work.clock())) is not None:
            return known
        with spool(reader.record) as kept:
            reader.read(source, kept)
            attributes = {"concord.interface": file.interface, "concord.company": file.company}
            with work.tracing.step(reader.step, file.transaction_id, None, attributes) as step, new_uow() as uow:
                answer = reader.store(kept, uow, step.traceparent)
                if not uow.files.add(file, reader.kind, answer, work.clock()):
                    first = uow.files.find(file.company, file.sha256)
                    return first if first is not None else replace(answer, duplicate=True)
                uow.progress.news(file.company)
                uow.commit()
            return answer


def queue_events(events: Sequence[NewEvent], step: str, link: str, uow: ReconUow, work: WorkContext) -> list[bool]:
    """Queue the events for the ledger; whether each is new. One that stands twice is known the second time."""
    names = uow.events.add(events, work.clock())
    new = []
    for event in events:
        new.append(event.name in names)
        names.discard(event.name)
    for event, is_new in zip(events, new, strict=True):
        if is_new:
            attributes = {"concord.event": event.name}
            with work.tracing.transaction(step, event.transaction_id, attributes, links=[link]):
                pass
    return new


def _known(file: IncomingFile, new_uow: NewUow, now: datetime) -> ImportedFile | None:
    """The first answer to the same bytes; what the ledger refused of them is tried once more."""
    with new_uow() as uow:
        known = uow.files.find(file.company, file.sha256)
        if known is not None and uow.events.requeue(uow.files.origin(file.company, file.sha256), now):
            uow.progress.news(file.company)
            uow.commit()
    return known
