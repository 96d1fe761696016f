"""What a migration does once for a database that is older than its proofs: everything that stands is proved from then.

Values get the proofs beside them, messages their chain, and each row of a chained table one more audit entry. What was
changed before that is not seen, and nothing of the older entries' hashes changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    inspect,
    select,
    tuple_,
    update,
)

from .audit import PROVED, AuditEntry, PendingEntries
from .encoding import GENESIS, message_hash, message_text, next_seal, subjects_in
from .private import proof_of
from .proofs import Chained, Proofs
from .rows import stream_rows, update_rows

ACTOR = "concord"
AT_ONCE = 1_000


def prove_what_stands(connection: Connection, proofs: Proofs) -> None:
    """For the migration that adds the columns of the proofs."""
    _chain_messages(connection, proofs)
    for chained in proofs.chained:
        for name in chained.by_proof:
            _prove_values(connection, chained.table, name)
        for child in chained.children:
            for name in child.by_proof:
                _prove_values(connection, child.table, name)
        _add_entries(connection, proofs, chained)


def _chain_messages(connection: Connection, proofs: Proofs) -> None:
    outbox, head = proofs.tables.outbox, GENESIS
    columns = f"position, sealed_number, {message_text(connection.dialect.name)}, payload"
    statement = f"SELECT {columns} FROM outbox WHERE sealed_number IS NOT NULL ORDER BY sealed_number"  # noqa: S608
    while part := _next(connection, statement):
        chained = []
        for position, number, text, payload in part:
            head = next_seal(head, number, message_hash(text, bytes(payload)))
            chained.append((position, head))
        update_rows(connection, outbox, "position", ["chain_hash"], chained)
        last = part[-1][1]
        statement = f"SELECT {columns} FROM outbox WHERE sealed_number > {int(last)} ORDER BY sealed_number"  # noqa: S608
    connection.execute(update(proofs.tables.seal_head).values(outbox_hash=head))


def _next(connection: Connection, statement: str) -> list[Any]:
    return list(islice(stream_rows(connection, f"{statement} LIMIT {AT_ONCE}"), AT_ONCE))


def _prove_values(connection: Connection, table: Table, name: str) -> None:
    """Give each value its proof."""
    keys = list(table.primary_key.columns)
    given = table.c[name]
    page = select(*keys, given).order_by(*keys).limit(AT_ONCE)
    after: tuple[Any, ...] | None = None
    same = [key == bindparam(f"key_{key.name}", type_=key.type) for key in keys]
    change = update(table).where(*same).values({f"{name}_proof": bindparam("proof")})
    while rows := connection.execute(page if after is None else page.where(tuple_(*keys) > tuple_(*after))).all():
        *after_list, _ = rows[-1]
        after = tuple(after_list)
        connection.execute(
            change,
            [
                {f"key_{key.name}": row[number] for number, key in enumerate(keys)} | {"proof": proof_of(row[-1])}
                for row in rows
            ],
        )


def _add_entries(connection: Connection, proofs: Proofs, chained: Chained) -> None:
    now = datetime.now(UTC)
    for part in _parts(stream_rows(connection, subjects_in(chained))):
        pending = PendingEntries()
        pending.add(
            proofs.tables, [AuditEntry(subject, PROVED, ACTOR, now, "") for subject in part], new_subjects=False
        )
        pending.write(connection, proofs, version=1)


def _parts(rows: Iterator[Any]) -> Iterator[list[str]]:
    while part := [subject for (subject,) in islice(rows, AT_ONCE)]:
        yield part


def add_columns(op: Any, by_proof: Iterable[tuple[str, str]]) -> None:
    """The columns of the chains, and of the proofs beside values (table, column)."""
    there = {column["name"] for column in inspect(op.get_bind()).get_columns("audit_entry")}
    for name, new in _entry_columns():
        if new.name not in there:
            op.add_column(name, new)
    for name, new in _chain_columns():
        op.add_column(name, new)
    for name, value in by_proof:
        op.add_column(name, Column(f"{value}_proof", String(96), nullable=False, server_default=""))


def drop_columns(op: Any, by_proof: Iterable[tuple[str, str]]) -> None:
    """The way back. What entries say of rows stays: older releases do not see it, and without it the entries that were
    made since could not be verified again.
    """
    for name, value in by_proof:
        op.drop_column(name, f"{value}_proof")
    for name, new in _chain_columns():
        op.drop_column(name, new.name)


def _entry_columns() -> list[tuple[str, Column[Any]]]:
    return [
        ("audit_entry", Column("encoding", Integer, nullable=False, server_default="1")),
        ("audit_entry", Column("row_digest", String(80), nullable=False, server_default="")),
    ]


def _chain_columns() -> list[tuple[str, Column[Any]]]:
    return [
        ("outbox", Column("chain_hash", LargeBinary)),
        ("seal_head", Column("outbox_hash", LargeBinary)),
    ]
