"""Computes again what a service's database proves of itself, so that a change past the service is named.

Both chains of the audit log and the chain of messages are followed; every row of a chained table is compared with the
digest in its subject's last entry, and what is derived is recomputed. Whoever knows all of this can change a row and
make every hash after it anew: that shows against a `Witness` which was kept elsewhere, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Connection

from .audit import AuditLog, SealHead
from .encoding import (
    GENESIS,
    message_hash,
    message_text,
    next_seal,
    orphans_of,
    proving,
    subjects_in,
    values_of,
)
from .private import fits, is_erased
from .proofs import Chained, Child, Proofs
from .rows import parts, select_rows, stream_rows

FAULTS_AT_MOST = 100
ERASED = "ERASED"  # the action of the entry without which nothing may be erased

# The database makes the encoding from the columns, several times as fast as Python does. Last comes whether a field
# holds a line feed by now, so that what was one field could pass for two, or whether one stands where none is hashed.
_SQLITE_ENTRY = """subject, subject_seq, prev_hash, hash, row_digest, CAST(encoding || char(10) || subject
    || char(10) || subject_seq || char(10) || action || char(10) || actor || char(10) || at || char(10)
    || transaction_id || char(10) || content_digest || char(10) || CASE encoding WHEN 1 THEN ''
    ELSE row_digest || char(10) END || length(reason) || char(10) || reason || char(10) || detail AS BLOB),
    instr(subject || action || actor || at || transaction_id || content_digest || row_digest, char(10))
    OR (encoding = 1 AND row_digest <> '')"""
_POSTGRESQL_ENTRY = """subject, subject_seq, prev_hash, hash, row_digest, convert_to(concat_ws(chr(10), encoding,
    subject, subject_seq, action, actor, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
    transaction_id, content_digest, CASE encoding WHEN 1 THEN NULL ELSE row_digest END, length(reason), reason, detail),
    'UTF8'),
    strpos(concat(subject, action, actor, transaction_id, content_digest, row_digest), chr(10)) > 0
    OR (encoding = 1 AND row_digest <> '')"""
_WITH_A_ROW = """SELECT subject FROM audit_entry entry WHERE row_digest <> '' AND NOT EXISTS (SELECT 1 FROM audit_entry
    later WHERE later.subject = entry.subject AND later.subject_seq > entry.subject_seq)"""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `faults` says what is broken where, at most `FAULTS_AT_MOST`."""

    entries: int
    sealed: int
    faults: tuple[str, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Witness:
    """The ends of both chains as they were seen before, and kept elsewhere."""

    entries: SealHead
    messages: SealHead


def heads_of(connection: Connection, proofs: Proofs) -> Witness:
    """The ends of both chains as they are now."""
    log = AuditLog(connection, proofs.tables)
    return Witness(log.head(), log.outbox_head())


def verify(connection: Connection, proofs: Proofs, witnesses: Iterable[Witness] = ()) -> Verification:
    """All of it at one moment, in bounded memory: use a read-only transaction."""
    found = _Verifier(connection, proofs)
    entries, live = found.subjects()
    sealed = found.seals()
    found.messages()
    rows = found.rows(live)
    found.derived()
    for witness in witnesses:
        found.witness(witness)
    return Verification(entries, sealed, tuple(found.faults), rows)


@dataclass(frozen=True, slots=True)
class Link:
    """What an audit entry says was done, by whom, with which content."""

    action: str
    actor: str
    content_digest: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The entries of a subject, and its row's digest in the last of them."""

    links: Sequence[Link]
    row_digest: str


def chains_of(connection: Connection, subjects: Iterable[str]) -> dict[str, Chain]:
    """The chains of the subjects, computed again; none for a subject whose chain is broken or empty."""
    dialect = connection.dialect.name
    encoding, mark = (_POSTGRESQL_ENTRY, "%s") if dialect == "postgresql" else (_SQLITE_ENTRY, "?")
    found: dict[str, list[Any]] = {}
    for part in parts(sorted(set(subjects))):
        statement = (
            f"SELECT {encoding}, action, actor, content_digest FROM audit_entry"  # noqa: S608
            f" WHERE subject IN ({', '.join([mark] * len(part))}) ORDER BY subject, subject_seq"
        )
        for row in select_rows(connection, statement, part):
            found.setdefault(row[0], []).append(row)
    return {
        subject: Chain([Link(*row[7:]) for row in rows], rows[-1][4]) for subject, rows in found.items() if _holds(rows)
    }


def _holds(rows: Sequence[Any]) -> bool:
    """Whether the entries of a subject follow on each other from the first on, unchanged."""
    previous = GENESIS
    for place, (_, sequence, prev_hash, digest, _, encoded, is_blurred, *_) in enumerate(rows, start=1):
        if sequence != place or prev_hash != previous or is_blurred:
            return False
        if sha256(previous + encoded).digest() != digest:
            return False
        previous = digest
    return True


class _Verifier:
    """One verification; `faults` grows."""

    def __init__(self, connection: Connection, proofs: Proofs) -> None:
        self.faults: list[str] = []
        self._connection = connection
        self._proofs = proofs
        self._dialect = connection.dialect.name
        self._log = AuditLog(connection, proofs.tables)

    def subjects(self) -> tuple[int, int]:
        """Follow each subject's chain. How many entries there are, and how many subjects must have a row."""
        count, live = 0, 0
        subject, sequence, previous, proof = None, 0, GENESIS, ""
        encoding = _POSTGRESQL_ENTRY if self._dialect == "postgresql" else _SQLITE_ENTRY
        rows = self._stream(f"SELECT {encoding} FROM audit_entry ORDER BY subject, subject_seq")  # noqa: S608
        for of, number, prev_hash, digest, row_proof, encoded, is_blurred in rows:
            count += 1
            if of != subject:
                live += proof != ""
                subject, sequence, previous = of, 0, GENESIS
            sequence += 1
            if number != sequence or prev_hash != previous:
                self._note(f"{subject}: entry {number} does not follow on entry {sequence - 1}")
                sequence = number
            if is_blurred or sha256(prev_hash + encoded).digest() != digest:
                self._note(f"{subject}: entry {number} was changed")
            previous, proof = digest, row_proof
        return count, live + (proof != "")

    def seals(self) -> int:
        """Follow the service's chain of entries to its head."""
        rows = self._stream(
            "SELECT sealed_number, hash, chain_hash FROM audit_entry WHERE sealed_number IS NOT NULL"
            " ORDER BY sealed_number"
        )
        return self._chain("seal", "its entry", rows, self._log.head())

    def messages(self) -> None:
        """Follow the chain of messages to its head."""
        columns = f"sealed_number, {message_text(self._dialect)}, payload, chain_hash"
        statement = f"SELECT {columns} FROM outbox WHERE sealed_number IS NOT NULL ORDER BY sealed_number"  # noqa: S608
        messages = self._stream(statement)
        rows = ((number, message_hash(text, payload), chain) for number, text, payload, chain in messages)
        self._chain("message", "its content", rows, self._log.outbox_head())

    def rows(self, live: int) -> int:
        """Compare every chained row with its subject's last entry; how many there are."""
        count, fit = 0, 0
        for chained in self._proofs.chained:
            for version in range(1, chained.version + 1):
                try:
                    seen, fitting = self._rows_of(chained, version, proving(chained, version, self._dialect))
                except OperationalError:  # SQLite makes no text of a row in which a text has become bytes
                    guarded = proving(chained, version, self._dialect, guarded=True)
                    seen, fitting = self._rows_of(chained, version, guarded)
                count, fit = count + seen, fit + fitting
            for child in chained.children:
                self._children(chained, child)
        if fit != live:
            self._gone()
        return count

    def _rows_of(self, chained: Chained, version: int, statement: str) -> tuple[int, int]:
        """The rows whose digests are of that version: how many there are, and how many have a digest."""
        count, fit, start = 0, 0, f"{version}:"
        several = chained.version > 1
        places = [(name, 3 + 2 * number) for number, name in enumerate(chained.by_proof)]
        for row in self._stream(statement):
            subject, proof, text = row[:3]
            if several and chained.version_of(proof or "") != version:
                continue
            count += 1
            if not proof:
                self._note(f"{subject}: the row has no audit entry that proves it")
                continue
            fit += 1
            if text is None or start + sha256(text).hexdigest() != proof:
                self._note(f"{subject}: the row is not the one of its last audit entry")
            for name, place in places:
                value, kept = row[place], row[place + 1]
                if not value or not fits(value, kept):
                    self._unfit(subject, name, value, kept)
        return count, fit

    def derived(self) -> None:
        """Recompute what follows from chained rows."""
        for check in self._proofs.checks():
            for fault in check(self._connection):
                self._note(fault)

    def witness(self, witness: Witness) -> None:
        """Compare the chains with their heads as they were seen before."""
        if self._log.seal(witness.entries.number) != witness.entries.hash:
            self._note(f"seal {witness.entries.number} is not the one that the witness saw")
        if self._log.seal(witness.messages.number, self._proofs.tables.outbox) != witness.messages.hash:
            self._note(f"message {witness.messages.number} is not the one that the witness saw")

    def _chain(self, what: str, of: str, rows: Iterator[tuple[int, bytes, bytes]], head: SealHead) -> int:
        count, number, previous = 0, 0, GENESIS
        for sealed_number, digest, chain in rows:
            count += 1
            number += 1
            if sealed_number != number:
                self._note(f"{what} {number} is missing")
                number = sealed_number
            elif next_seal(previous, number, digest) != chain:
                self._note(f"{what} {number} does not fit {of}")
            previous = chain
        if (head.number, head.hash) != (number, previous):
            self._note(f"the chain ends at {what} {number}, its head says {head.number}")
        return count

    def _unfit(self, subject: str, name: str, value: str | bytes | None, proof: str) -> None:
        """Of a value that is empty, erased, or not the one of its proof."""
        if not fits(value, proof):
            self._note(f"{subject}: {name} is not the one that was proved")
        elif is_erased(value, proof) and not any(
            stored.entry.action == ERASED for stored in self._log.of_subject(subject)
        ):
            self._note(f"{subject}: {name} was erased, and no audit entry says so")

    def _children(self, chained: Chained, child: Child) -> None:
        """Their values with proofs, and those that belong to no row."""
        if child.by_proof:
            for subject, *apart in self._stream(values_of(chained, child)):
                for name, value, proof in zip(child.by_proof, apart[::2], apart[1::2], strict=True):
                    if not value or not fits(value, proof):
                        self._unfit(subject, name, value, proof)
        if not child.may_come_first:
            for (name,) in self._stream(orphans_of(chained, child)):
                self._note(f"{name}: a row of {child.table.name} belongs to nothing")

    def _gone(self) -> None:
        """Name the subjects whose rows are missing. Sorted by the database: only where something is wrong."""
        statement = " EXCEPT ".join([_WITH_A_ROW, *map(subjects_in, self._proofs.chained)])
        for (subject,) in self._stream(f"{statement} ORDER BY 1"):
            self._note(f"{subject}: the row is gone")

    def _note(self, fault: str) -> None:
        if len(self.faults) < FAULTS_AT_MOST and fault not in self.faults:
            self.faults.append(fault)

    def _stream(self, statement: str) -> Iterator[Any]:
        return stream_rows(self._connection, statement)
