"""The audit log: who did what to which subject, in chains that show every later change.

Each entry's hash covers the entry and the hash of its subject's previous entry; it is made in the commit that the entry
belongs to, so there is no row that all commits wait for. The sealer (`libs.storage.sealer`) then numbers the committed
entries and chains them through the whole service.

The encoding, version 1, in UTF-8, is the fields joined by line feeds:

    1, subject, subject_seq, action, actor, at (ISO 8601, UTC, microseconds, +00:00), transaction_id, content_digest,
    the number of characters in reason, reason, detail (JSON, sorted keys, no spaces)

No field before `reason` holds a line feed. hash = SHA-256(prev_hash ‖ encoding); a subject's first prev_hash is
GENESIS. chain_hash = SHA-256(previous chain_hash ‖ sealed_number in decimal ‖ hash); the service's chain starts at
GENESIS too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text

from .rows import insert_rows, parts
from .tables import SystemTables

GENESIS = sha256(b"concord audit chain, version 1").digest()
FAULTS_AT_MOST = 100
VERIFIED_AT_ONCE = 5_000
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
    "prev_hash",
    "hash",
)
# For verification the database makes the encoding from the columns, several times as fast as Python does. Last comes
# whether a field holds a line feed by now, so that what was one field could pass for two.
SQLITE_ENCODING = """subject, subject_seq, prev_hash, hash, CAST('1' || char(10) || subject || char(10) || subject_seq
    || char(10) || action || char(10) || actor || char(10) || at || char(10) || transaction_id || char(10)
    || content_digest || char(10) || length(reason) || char(10) || reason || char(10) || detail AS BLOB),
    instr(subject || action || actor || at || transaction_id || content_digest, char(10))"""
POSTGRESQL_ENCODING = """subject, subject_seq, prev_hash, hash, convert_to(concat_ws(chr(10), '1', subject, subject_seq,
    action, actor, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), transaction_id,
    content_digest, length(reason), reason, detail), 'UTF8'),
    strpos(concat(subject, action, actor, transaction_id, content_digest), chr(10))"""

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
class Verification:
    """What a walk over both chains found. `faults` says what is broken where, at most `FAULTS_AT_MOST`."""

    entries: int
    sealed: int
    faults: tuple[str, ...]


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
        """Chain the entries to their subjects' last ones and store them.

        `new_subjects` says that none of the subjects has an entry yet, which saves the look-up; were it wrong, the
        unique key would refuse. Raises `StorageConflict` if another transaction continued one of the chains.
        """
        heads = {} if new_subjects else self._heads({entry.subject for entry in entries})
        instants = {entry.at: _instant(entry.at) for entry in entries}
        rows = []
        for subject, action, actor, at, transaction_id, reason, content_digest, detail in entries:
            sequence, previous = heads.get(subject, (0, GENESIS))
            sequence += 1
            details = _canonical(detail) if detail else "{}"
            digest = _entry_hash(
                previous,
                f"1\n{subject}\n{sequence}\n{action}\n{actor}\n{instants[at]}\n{transaction_id}\n{content_digest}\n",
                reason,
                details,
            )
            heads[subject] = (sequence, digest)
            row = (subject, sequence, action, actor, reason, at, transaction_id, content_digest, details)
            rows.append((*row, previous, digest))
        insert_rows(self._connection, self._table, rows, ENTRY_COLUMNS)

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
        return SealHead(*row) if row else SealHead(0, GENESIS)

    def seal(self, number: int) -> bytes | None:
        """The service chain's hash at a sealed number (0: its start); None if nothing is sealed under it."""
        if number == 0:
            return GENESIS
        columns = self._table.c
        found = self._connection.scalar(select(columns.chain_hash).where(columns.sealed_number == number))
        return None if found is None else bytes(found)

    def verify(self) -> Verification:
        """Compute every hash again and follow both chains. Bounded memory; use a read-only transaction."""
        faults: list[str] = []
        entries = self._verify_subjects(faults)
        sealed = self._verify_seals(faults)
        return Verification(entries, sealed, tuple(faults[:FAULTS_AT_MOST]))

    def _heads(self, subjects: set[str]) -> dict[str, tuple[int, bytes]]:
        heads: dict[str, tuple[int, bytes]] = {}
        for part in parts(sorted(subjects)):
            heads.update(self._heads_of(part))
        return heads

    def _heads_of(self, subjects: list[str]) -> dict[str, tuple[int, bytes]]:
        if self._connection.dialect.name == "postgresql":
            statement = text(
                "SELECT given.subject, last.subject_seq, last.hash"
                " FROM unnest(CAST(:subjects AS text[])) given(subject)"
                " CROSS JOIN LATERAL (SELECT subject_seq, hash FROM audit_entry WHERE subject = given.subject"
                " ORDER BY subject_seq DESC LIMIT 1) last"
            )
            found = self._connection.execute(statement, {"subjects": subjects})
        else:
            # SQLite takes the bare column from the row that has the maximum, as its manual promises.
            marks = ", ".join("?" * len(subjects))
            found = self._connection.exec_driver_sql(
                f"SELECT subject, max(subject_seq), hash FROM audit_entry WHERE subject IN ({marks})"  # noqa: S608
                " GROUP BY subject",
                tuple(subjects),
            )
        return {subject: (sequence, bytes(digest)) for subject, sequence, digest in found}

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

    def _verify_subjects(self, faults: list[str]) -> int:
        count = 0
        subject, sequence, previous = None, 0, GENESIS
        encoding = POSTGRESQL_ENCODING if self._connection.dialect.name == "postgresql" else SQLITE_ENCODING
        rows = self._stream(f"SELECT {encoding} FROM audit_entry ORDER BY subject, subject_seq")  # noqa: S608
        for of, number, prev_hash, digest, encoded, is_blurred in rows:
            count += 1
            if of != subject:
                subject, sequence, previous = of, 0, GENESIS
            sequence += 1
            if number != sequence or prev_hash != previous:
                _note(faults, f"{subject}: entry {number} does not follow on entry {sequence - 1}")
                sequence = number
            if is_blurred or sha256(prev_hash + encoded).digest() != digest:
                _note(faults, f"{subject}: entry {number} was changed")
            previous = digest
        return count

    def _verify_seals(self, faults: list[str]) -> int:
        count, number, previous = 0, 0, GENESIS
        columns = "sealed_number, hash, chain_hash"
        for sealed_number, digest, chain in self._stream(
            f"SELECT {columns} FROM audit_entry WHERE sealed_number IS NOT NULL ORDER BY sealed_number"  # noqa: S608
        ):
            count += 1
            number += 1
            if sealed_number != number:
                _note(faults, f"seal {number} is missing")
                number = sealed_number
            elif next_seal(previous, number, digest) != chain:
                _note(faults, f"seal {number} does not fit its entry")
            previous = chain
        head = self.head()
        if (head.number, head.hash) != (number, previous):
            _note(faults, f"the chain ends at seal {number}, its head says {head.number}")
        return count

    def _stream(self, statement: str) -> Iterator[Any]:
        """Rows by the driver, in bounded memory: SQLAlchemy's rows would cost more than the hashes."""
        driver: Any = self._connection.connection.driver_connection
        self._connection.exec_driver_sql("SELECT 1")  # begins the transaction, if there is none
        if self._connection.dialect.name == "postgresql":
            with driver.cursor(name="audit_walk", binary=True) as cursor:
                cursor.execute(statement)
                while rows := cursor.fetchmany(VERIFIED_AT_ONCE):
                    yield from rows
        else:
            yield from driver.execute(statement)


def _entry_hash(previous: bytes, lines: str, reason: str, detail: str) -> bytes:
    """The hash of an entry that follows on `previous`; see the module for the encoding."""
    if lines.count("\n") != 8 or "\0" in lines or "\0" in reason:
        raise ValueError("a field of an audit entry holds a line feed or a NUL character")
    return sha256(previous + f"{lines}{len(reason)}\n{reason}\n{detail}".encode()).digest()


def next_seal(previous: bytes, number: int, digest: bytes) -> bytes:
    """The service chain's hash at `number`, over an entry's hash."""
    return sha256(b"%b%d%b" % (previous, number, digest)).digest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _note(faults: list[str], fault: str) -> None:
    if len(faults) < FAULTS_AT_MOST:
        faults.append(fault)
