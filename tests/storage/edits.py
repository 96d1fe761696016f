"""Every way to change a service's rows by SQL, each tried on its own and taken back: the verification must name the row.

A service's test fills a database, and `unseen` says which edits passed unnoticed; it is empty where all is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    and_,
    delete,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from libs.storage.audit import row_digests
from libs.storage.encoding import GENESIS, message_hash, message_text, next_seal
from libs.storage.errors import ConstraintBroken, StorageConflict
from libs.storage.private import SALT_CHARACTERS
from libs.storage.proofs import FIELD, Chained, Child, Derived, Proofs
from libs.storage.types import UtcTimestamp
from libs.storage.verification import Verification, heads_of, verify


@dataclass(frozen=True)
class Edit:
    """What somebody does to the database, and what a fault must say."""

    what: str
    names: str
    run: Callable[[Connection], object]


def unseen(engine: Engine, proofs: Proofs) -> tuple[int, list[str]]:
    """How many edits were tried, and those that the verification did not name. The database must be proved before."""
    with engine.connect() as connection:
        faults = verify(connection, proofs).faults
        assert faults == (), faults
        edits = list(edits_of(connection, proofs))
    missed, tried = [], 0
    for edit in edits:
        found = after(engine, proofs, edit.run)
        if found is None:
            continue  # the database refuses it
        tried += 1
        if not any(edit.names in fault for fault in found.faults):
            missed.append(f"{edit.what}: {found.faults[:3]}")
    return tried, missed


def after(engine: Engine, proofs: Proofs, edit: Callable[[Connection], object]) -> Verification | None:
    """What a verification finds after an edit, which is then taken back; None where the database refuses the edit."""
    with engine.connect() as connection:
        without_constraints(connection)
        try:
            edit(connection)
        except (IntegrityError, ConstraintBroken, StorageConflict):
            return None
        return verify(connection, proofs)


def without_constraints(connection: Connection) -> None:
    """Whoever edits by SQL is not kept from it by foreign keys, nor by checks where the database lets them go."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))


def edits_of(connection: Connection, proofs: Proofs) -> Iterator[Edit]:
    """Of every declared table: each column, swaps, rows taken away and put in; of the chains: what they hold."""
    for chained in proofs.chained:
        yield from _edits_of_rows(connection, chained)
        for child in chained.children:
            yield from _edits_of_children(connection, chained, child)
    for each in proofs.declared:
        if isinstance(each, Derived) and each.table.name not in ("total_delta",):
            yield from _edits_of_derived(connection, each)
    yield from _edits_of_messages(connection, proofs.tables.outbox)
    yield from _edits_of_chains(connection, proofs)


def _edits_of_rows(connection: Connection, chained: Chained) -> Iterator[Edit]:
    table, name = chained.table, chained.table.name
    rows = connection.execute(select(table).order_by(*table.primary_key)).all()
    assert rows, f"the test's database has no row of {name}"
    first = rows[0]
    subject = _subject(chained, first)
    for column in (*chained.proved, *chained.derived):
        yield Edit(f"{name}.{column} edited", subject, _setting(table, first, column))
    for column in chained.by_proof:
        given = next((row for row in rows if row._mapping[column] is not None), first)
        changed = _subject(chained, given)
        proof = given._mapping[f"{column}_proof"]
        yield Edit(f"{name}.{column} edited", changed, _setting(table, given, column))
        yield Edit(
            f"{name}.{column} edited with its proof",
            changed,
            _setting(table, given, f"{column}_proof", proof[:SALT_CHARACTERS] + "0" * 64),
        )
        yield Edit(
            f"{name}.{column} taken away", changed, _setting(table, given, column, type(given._mapping[column])())
        )
    yield Edit(f"a row of {name} deleted", subject, _deleting(table, first))
    yield Edit(f"a row of {name} added", _subject(chained, _copy(table, first)), _adding(table, first))
    if len(rows) > 1:
        column = next(
            one for one in chained.proved if one not in _keys(table) and first._mapping[one] != rows[1]._mapping[one]
        )
        yield Edit(f"{name}.{column} of two rows swapped", subject, _swapping(table, first, rows[1], column))


def _edits_of_children(connection: Connection, chained: Chained, child: Child) -> Iterator[Edit]:
    table, name = child.table, child.table.name
    row = connection.execute(select(table).order_by(*table.primary_key)).first()
    assert row is not None, f"the test's database has no row of {name}"
    parent = connection.execute(
        select(chained.table).where(chained.table.c[child.parent] == row._mapping[child.of])
    ).one()
    subject = _subject(chained, parent)
    for column in (child.of, *child.proved):
        yield Edit(f"{name}.{column} edited", subject, _setting(table, row, column))
    yield Edit(f"a row of {name} deleted", subject, _deleting(table, row))
    for column in child.by_proof:
        proof = f"{row._mapping[f'{column}_proof'][:SALT_CHARACTERS]}{'0' * 64}"
        yield Edit(f"{name}.{column} edited", subject, _setting(table, row, column))
        yield Edit(f"{name}.{column}'s proof edited", subject, _setting(table, row, f"{column}_proof", proof))
    others = [one for one in _keys(table) if one != child.of]
    key = others[-1] if others else child.of
    yield Edit(f"a row of {name} added", subject if others else _copy(table, row, key)[key], _adding(table, row, key))


def _edits_of_derived(connection: Connection, derived: Derived) -> Iterator[Edit]:
    table = derived.table
    row = connection.execute(select(table).order_by(*table.primary_key)).first()
    if row is None:
        assert table.name == "total", f"the test's database has no row of {table.name}"
        return
    names = table.name if table.name in ("total", "upload") else str(row._mapping["event"])
    for column in row._mapping.keys() - derived.working.keys():
        yield Edit(f"{table.name}.{column} edited", names, _setting(table, row, column))
    yield Edit(f"a row of {table.name} deleted", names, _deleting(table, row))


def _edits_of_messages(connection: Connection, outbox: Table) -> Iterator[Edit]:
    rows = connection.execute(select(outbox).order_by(outbox.c.sealed_number)).all()
    if len(rows) < 2:
        return
    for column in ("id", "topic", "key", "transaction_id", "headers", "payload", "at", "chain_hash"):
        yield Edit(f"outbox.{column} edited", "message 1 ", _setting(outbox, rows[0], column))
    yield Edit("a message deleted", "message 1 ", _deleting(outbox, rows[0]))
    yield Edit("the newest message deleted", "message", _deleting(outbox, rows[-1]))
    yield Edit("two messages swapped", "message 1 ", _swapping(outbox, rows[0], rows[1], "payload"))


def _edits_of_chains(connection: Connection, proofs: Proofs) -> Iterator[Edit]:
    entries = proofs.tables.audit_entry
    rows = connection.execute(select(entries).order_by(entries.c.id)).all()
    for column in ("actor", "action", "at", "detail", "content_digest", "row_digest", "encoding", "prev_hash", "hash"):
        yield Edit(f"audit_entry.{column} edited", rows[0].subject, _setting(entries, rows[0], column))
    for chained in proofs.chained:
        row = connection.execute(select(chained.table).order_by(*chained.table.primary_key)).first()
        assert row is not None
        subject = _subject(chained, row)

        def with_entries(
            of: Connection, chained: Chained = chained, row: Row[Any] = row, subject: str = subject
        ) -> None:
            of.execute(delete(entries).where(entries.c.subject == subject))
            _deleting(chained.table, row)(of)

        yield Edit(f"a row of {chained.table.name} deleted with its entries", "seal ", with_entries)

        def forged(of: Connection, chained: Chained = chained, row: Row[Any] = row, subject: str = subject) -> None:
            copied = _copy(chained.table, row)
            of.execute(insert(chained.table).values(copied))
            last = of.execute(select(entries).where(entries.c.subject == subject).order_by(entries.c.id.desc())).first()
            assert last is not None
            entry = dict(last._mapping) | {
                "subject": _subject(chained, copied),
                "subject_seq": 1,
                "sealed_number": None,
            }
            del entry["id"]
            of.execute(insert(entries).values(entry))

        names = _subject(chained, _copy(chained.table, row))
        yield Edit(f"a row of {chained.table.name} added with an entry", names, forged)


def _setting(table: Table, row: Row[Any], column: str, value: Any = ...) -> Callable[[Connection], object]:
    values = {column: another(row._mapping[column], table, column) if value is ... else value}
    return lambda connection: connection.execute(update(table).where(_is(table, row)).values(values))


def _deleting(table: Table, row: Row[Any]) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(delete(table).where(_is(table, row)))


def _adding(table: Table, row: Row[Any], key: str = "") -> Callable[[Connection], object]:
    return lambda connection: connection.execute(insert(table).values(_copy(table, row, key)))


def _swapping(table: Table, row: Row[Any], other: Row[Any], column: str) -> Callable[[Connection], object]:
    def swap(connection: Connection) -> None:
        _setting(table, row, column, other._mapping[column])(connection)
        _setting(table, other, column, row._mapping[column])(connection)

    return swap


def _copy(table: Table, row: Row[Any], key: str = "") -> dict[str, Any]:
    """The same row under another key; what must be unique besides is another value too."""
    values = dict(row._mapping)
    for column in [key] if key else _changing(table):
        values[column] = another(values[column], table, column)
    return values


def _changing(table: Table) -> list[str]:
    unique = [
        name
        for name in ("name", "subject", "odoo_id", "statement_id")
        if name in table.c and table.name != "exchange_entry"
    ]
    return [_keys(table)[-1], *(name for name in unique if name not in _keys(table))]


def another(value: Any, table: Table, column: str) -> Any:
    """A value of the same kind that is not the same."""
    if value is None:
        kind = table.c[column].type
        if isinstance(kind, UtcTimestamp):
            return datetime(2026, 1, 1, tzinfo=UTC)
        values: dict[type, Any] = {int: 7, str: "x", bytes: b"x"}
        return values.get(kind.python_type, date(2026, 1, 1))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1 if value else 1]) + value[1:]
    if isinstance(value, date):  # an instant is one too
        return value + timedelta(days=1)
    return f"{value[:-1]}{'y' if value.endswith('x') else 'x'}" if value else "x"


def _subject(chained: Chained, row: Row[Any] | dict[str, Any]) -> str:
    values = row if isinstance(row, dict) else row._mapping
    return FIELD.sub(lambda match: str(values[match.group(1)]), chained.subject)


def _keys(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def _is(table: Table, row: Row[Any]) -> Any:
    return and_(*(table.c[name] == row._mapping[name] for name in _keys(table)))


def made_anew(connection: Connection, proofs: Proofs) -> None:
    """Every digest and hash that there is computed again over what stands now, by somebody who knows how."""
    tables = proofs.tables
    entry, outbox = tables.audit_entry, tables.outbox
    subjects = connection.execute(select(entry.c.subject).distinct()).scalars().all()
    for subject, digest in row_digests(connection, proofs, subjects).items():
        last = select(entry.c.id).where(entry.c.subject == subject).order_by(entry.c.subject_seq.desc()).limit(1)
        newest = connection.scalar(last)
        connection.execute(update(entry).where(entry.c.id == newest).values(row_digest=digest))
    previous: dict[str, bytes] = {}
    for row in connection.execute(select(entry).order_by(entry.c.id)).all():
        before = previous.get(row.subject, GENESIS)
        lines = (
            row.encoding, row.subject, row.subject_seq, row.action, row.actor,
            row.at.isoformat(timespec="microseconds"), row.transaction_id, row.content_digest, row.row_digest,
            len(row.reason), row.reason, row.detail,
        )  # fmt: skip
        hashed = sha256(before + "\n".join(map(str, lines)).encode()).digest()
        previous[row.subject] = hashed
        connection.execute(update(entry).where(entry.c.id == row.id).values(prev_hash=before, hash=hashed))
    heads = {"audit_hash": GENESIS, "outbox_hash": GENESIS}
    for row in connection.execute(select(entry).order_by(entry.c.sealed_number)).all():
        heads["audit_hash"] = next_seal(heads["audit_hash"], row.sealed_number, row.hash)
        connection.execute(update(entry).where(entry.c.id == row.id).values(chain_hash=heads["audit_hash"]))
    words: ColumnElement[str] = literal_column(message_text(connection.dialect.name)).label("text")
    messages = select(outbox.c.position, outbox.c.sealed_number, words, outbox.c.payload)
    for row in connection.execute(messages.order_by(outbox.c.sealed_number)).all():
        hashed = message_hash(row.text, row.payload)
        heads["outbox_hash"] = next_seal(heads["outbox_hash"], row.sealed_number, hashed)
        same = outbox.c.position == row.position
        connection.execute(update(outbox).where(same).values(chain_hash=heads["outbox_hash"]))
    connection.execute(update(tables.seal_head).values(heads))


def unwitnessed(engine: Engine, proofs: Proofs) -> list[str]:
    """Edits of each chained table and of messages that a witness misses, where all is made anew after them."""
    missed = []
    with engine.connect() as connection:
        kept = heads_of(connection, proofs)
        edits = list(_first_columns(connection, proofs))
    for edit in edits:
        with engine.connect() as connection:
            without_constraints(connection)
            edit.run(connection)
            made_anew(connection, proofs)
            alone = verify(connection, proofs).faults
            seen = verify(connection, proofs, [kept]).faults
        if alone or not any(edit.names in fault for fault in seen):
            missed.append(f"{edit.what}: {alone}, {seen}")
    return missed


def _first_columns(connection: Connection, proofs: Proofs) -> Iterator[Edit]:
    saw = "is not the one that the witness saw"
    for chained in proofs.chained:
        row = connection.execute(select(chained.table).order_by(*chained.table.primary_key)).first()
        assert row is not None
        words = [
            name for name in chained.proved if name not in _keys(chained.table) and f"{{{name}}}" not in chained.subject
        ]
        if words and chained.table.name not in ("event", "outbound_event"):  # its totals follow from it
            yield Edit(f"{chained.table.name}.{words[-1]} edited", saw, _setting(chained.table, row, words[-1]))
    first = connection.execute(select(proofs.tables.outbox).order_by("sealed_number")).first()
    if first is not None:
        yield Edit("a message edited", "message", _setting(proofs.tables.outbox, first, "payload"))
