"""The audit log: who did what to which subject, in chains that show every later change.

Entries are collected until their transaction's commit (`UnitOfWork`). There the rows of their subjects are read as they
are then, and the last entry of each subject carries its row's digest (`libs.storage.encoding`): no writer can forget a
column, and a row that was changed past its service differs from its last entry.

Each entry's hash covers the entry and the hash of its subject's previous entry; it is made in the commit that the entry
belongs to, so there is no row that all commits wait for. The sealer (`libs.storage.sealer`) then numbers the committed
entries and chains them through the whole service. `libs.storage.verification` computes all of it again.

The encoding, in UTF-8, is the fields joined by line feeds:

    2, subject, subject_seq, action, actor, at (ISO 8601, UTC, microseconds, +00:00), transaction_id, content_digest,
    row_digest, the number of characters in reason, reason, detail (JSON, sorted keys, no spaces)

Version 1, of entries that are older than row digests, has no row_digest. No field before `reason` holds a line feed.
hash = SHA-256(prev_hash ‖ encoding); a subject's first prev_hash is GENESIS. chain_hash = SHA-256(previous chain_hash ‖
sealed_number in decimal ‖ hash); the service's chain starts at GENESIS too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from .encoding import GENESIS, row_digest, texts_of
from .proofs import Proofs
from .rows import insert_rows, parts, select_rows
from .tables import SystemTables

ENCODING = 2
PROVED = "PROVED"  # the action of the entry that a migration gives to what stands
NOTED = "NOTED"  # the action of a change that is no step of its own
PENDING = "concord_audit_pending"  # option of a connection: the entries of its transaction
ENTRY_COLUMNS = (
    "subject",
    "subject_seq",
    "action",
    "actor",
    "reason",
    "at",
    "transaction_id",
    "content_digest",
    "detail",
    "encoding",
    "row_digest",
    "prev_hash",
    "hash",
)
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class AuditEntry(NamedTuple):
    """Something that was done. Carries no amounts, names or secrets; `content_digest` (hex) stands for the content."""

    subject: str  # the resource's name
    action: str  # stable, UPPER_SNAKE_CASE
    actor: str
    at: datetime
    transaction_id: str
    reason: str = ""
    content_digest: str = ""
    detail: Mapping[str, str] = MappingProxyType({})  # such as the states before and after


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as the log holds it."""

    entry: AuditEntry
    subject_seq: int
    sealed_number: int | None


@dataclass(frozen=True, slots=True)
class SealHead:
    """The end of the service's chain. Kept elsewhere, it also shows that the newest entries were cut off."""

    number: int
    hash: bytes


class AuditLog:
    """The audit log of a service, within a transaction."""

    def __init__(self, connection: Connection, tables: SystemTables) -> None:
        self._connection = connection
        self._tables = tables
        self._table = tables.audit_entry

    def append(self, entries: Sequence[AuditEntry], *, new_subjects: bool = False) -> None:
        """Store the entries with the commit of this unit of work, chained to their subjects' last ones.

        `new_subjects` says that none of the subjects has an entry yet, which saves the look-up; were it wrong, the
        unique key would refuse. The commit raises `StorageConflict` if another transaction continued one of the chains.
        """
        pending: PendingEntries = self._connection.get_execution_options()[PENDING]
        pending.add(self._tables, entries, new_subjects=new_subjects)

    def of_subject(self, subject: str) -> list[StoredEntry]:
        """A subject's entries, oldest first."""
        return self._read(self._table.c.subject == subject)

    def of_transaction(self, transaction_id: str) -> list[StoredEntry]:
        """A transaction's entries, in the order in which they were written."""
        return self._read(self._table.c.transaction_id == transaction_id)

    def head(self) -> SealHead:
        """The end of the service's chain."""
        head = self._tables.seal_head.c
        row = self._connection.execute(select(head.audit_number, head.audit_hash)).one_or_none()
        return SealHead(row[0], bytes(row[1])) if row else SealHead(0, GENESIS)

    def outbox_head(self) -> SealHead:
        """The end of the chain of messages."""
        head = self._tables.seal_head.c
        row = self._connection.execute(select(head.outbox_number, head.outbox_hash)).one_or_none()
        return SealHead(row[0], GENESIS if row[1] is None else bytes(row[1])) if row else SealHead(0, GENESIS)

    def seal(self, number: int, table: Table | None = None) -> bytes | None:
        """The service chain's hash at a sealed number (0: its start); None if nothing is sealed under it.

        Of entries, or of the messages in the outbox.
        """
        if number == 0:
            return GENESIS
        columns = (self._table if table is None else table).c
        found = self._connection.scalar(select(columns.chain_hash).where(columns.sealed_number == number))
        return None if found is None else bytes(found)

    def _read(self, condition: Any) -> list[StoredEntry]:
        columns = self._table.c
        rows = self._connection.execute(select(self._table).where(condition).order_by(columns.id))
        return [
            StoredEntry(
                AuditEntry(
                    row.subject,
                    row.action,
                    row.actor,
                    row.at,
                    row.transaction_id,
                    row.reason,
                    row.content_digest,
                    json.loads(row.detail),
                ),
                row.subject_seq,
                row.sealed_number,
            )
            for row in rows
        ]


class PendingEntries:
    """The entries of a transaction, until its commit."""

    def __init__(self) -> None:
        self._tables: SystemTables | None = None
        self._entries: list[AuditEntry] = []
        self._new_subjects: set[str] = set()

    def add(self, tables: SystemTables, entries: Sequence[AuditEntry], *, new_subjects: bool) -> None:
        """See `AuditLog.append`."""
        self._tables = tables
        self._entries += entries
        if new_subjects:
            self._new_subjects.update(entry.subject for entry in entries)

    def write(self, connection: Connection, proofs: Proofs | None, *, version: int | None = None) -> None:
        """Store them, the last of each subject with the digest of its row as it is now, of that version or today's."""
        entries, tables = self._entries, self._tables
        if not entries or tables is None:
            return
        self._entries, known = [], self._new_subjects
        self._new_subjects = set()
        last = {entry.subject: number for number, entry in enumerate(entries)}
        heads = heads_of(connection, last.keys() - known)
        digests = row_digests(connection, proofs, last, version) if proofs else {}
        instants = {entry.at: _instant(entry.at) for entry in entries}
        rows = []
        for number, (subject, action, actor, at, transaction_id, reason, content_digest, detail) in enumerate(entries):
            sequence, previous = heads.get(subject, (0, GENESIS))
            sequence += 1
            details = _canonical(detail) if detail else "{}"
            proof = digests.get(subject, "") if last[subject] == number else ""
            digest = _entry_hash(
                previous,
                f"{ENCODING}\n{subject}\n{sequence}\n{action}\n{actor}\n{instants[at]}\n{transaction_id}\n"
                f"{content_digest}\n{proof}\n",
                reason,
                details,
            )
            heads[subject] = (sequence, digest)
            row = (subject, sequence, action, actor, reason, at, transaction_id, content_digest, details)
            rows.append((*row, ENCODING, proof, previous, digest))
        insert_rows(connection, tables.audit_entry, rows, ENTRY_COLUMNS)


def row_digests(
    connection: Connection, proofs: Proofs, subjects: Iterable[str], version: int | None = None
) -> dict[str, str]:
    """The digests of the subjects' rows as they are now; none for a subject without a row."""
    found: dict[str, str] = {}
    for chained, keys in proofs.by_table(subjects).items():
        made_with = version or chained.version
        for subject, text in texts_of(connection, chained, keys, made_with):
            found[subject] = row_digest(made_with, text)
    return found


def heads_of(connection: Connection, subjects: Iterable[str]) -> dict[str, tuple[int, bytes]]:
    """The number and hash of the last entry of each subject that has one."""
    heads: dict[str, tuple[int, bytes]] = {}
    for part in parts(sorted(subjects)):
        if connection.dialect.name == "postgresql":
            statement = (
                "SELECT given.subject, last.subject_seq, last.hash FROM unnest(%s::text[]) given(subject)"
                " CROSS JOIN LATERAL (SELECT subject_seq, hash FROM audit_entry WHERE subject = given.subject"
                " ORDER BY subject_seq DESC LIMIT 1) last"
            )
            rows = select_rows(connection, statement, [part])
        else:
            # SQLite takes the bare column from the row that has the maximum, as its manual promises.
            marks = ", ".join("?" * len(part))
            statement = f"SELECT subject, max(subject_seq), hash FROM audit_entry WHERE subject IN ({marks})"  # noqa: S608
            rows = select_rows(connection, f"{statement} GROUP BY subject", part)
        heads.update({subject: (sequence, bytes(digest)) for subject, sequence, digest in rows})
    return heads


def _entry_hash(previous: bytes, lines: str, reason: str, detail: str) -> bytes:
    """The hash of an entry that follows on `previous`; see the module for the encoding."""
    if lines.count("\n") != 9 or "\0" in lines or "\0" in reason:
        raise ValueError("a field of an audit entry holds a line feed or a NUL character")
    return sha256(previous + f"{lines}{len(reason)}\n{reason}\n{detail}".encode()).digest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
