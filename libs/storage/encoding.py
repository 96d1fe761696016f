"""The text that a row's digest is made of: the database makes it, several times as fast as Python would.

It is a JSON array of the columns in their declared order, instants in UTC; then, for each kind of children, an array of
theirs, sorted by what is proved of them. SQLite and PostgreSQL write the same values in texts of their own (spaces,
instants), so rows that are moved to the other store need new entries.

A digest is stored as `{version}:{SHA-256 in hexadecimal}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table

from .proofs import FIELD, Chained, Child, is_number
from .rows import parts, select_rows

GENESIS = sha256(b"concord audit chain, version 1").digest()  # what every chain starts from


def next_seal(previous: bytes, number: int, digest: bytes) -> bytes:
    """The service chain's hash at `number`, over an entry's hash."""
    return sha256(b"%b%d%b" % (previous, number, digest)).digest()


def message_text(dialect: str) -> str:
    """All of a message but its payload, as an expression."""
    return _array(("id", "topic", "key", "transaction_id", "headers", "at"), dialect)


def message_hash(text: str, payload: bytes) -> bytes:
    """What the chain of messages takes up; the text is one line."""
    return sha256(b"%b\n%b" % (text.encode(), payload)).digest()


def row_digest(version: int, text: str) -> str:
    """What an audit entry carries for a row."""
    return f"{version}:{sha256(text.encode()).hexdigest()}"


def texts_of(
    connection: Connection, chained: Chained, keys: Iterable[tuple[str | int, ...]], version: int
) -> list[tuple[str, str]]:
    """(subject, text) of the rows that there are with these keys."""
    found: list[tuple[str, str]] = []
    dialect = connection.dialect.name
    for part in parts(keys):
        by_column: list[Any] = [list(column) for column in zip(*part, strict=True)]
        values = by_column if dialect == "postgresql" else [value for key in part for value in key]
        found += select_rows(
            connection, _reading(chained, version, dialect) + _among(chained, len(part), dialect), values
        )
    return found


@lru_cache(maxsize=256)
def proving(chained: Chained, version: int, dialect: str, *, guarded: bool = False) -> str:
    """Of every row: its subject, the digest in its subject's last entry, its text under the version in UTF-8, and each
    value that has a proof of its own, followed by that.

    `guarded`: the text is null where a text has become bytes, which SQLite would store and no writer of ours does.
    """
    subject, text = subject_of(chained), _bytes(_text(chained, version, dialect), dialect)
    if guarded:
        kinds = " OR ".join(f"typeof(given.\"{name}\") = 'blob'" for name in chained.proved_in(version))
        text = f"CASE WHEN {kinds} THEN NULL ELSE {text} END"
    last = f"SELECT row_digest FROM audit_entry WHERE subject = {subject} ORDER BY subject_seq DESC LIMIT 1"  # noqa: S608
    apart = "".join(f', given."{name}", given."{name}_proof"' for name in chained.by_proof)
    return f"SELECT {subject}, ({last}), {text}{apart} FROM {_given(chained.table)}"  # noqa: S608


def orphans_of(chained: Chained, child: Child) -> str:
    """What children name as their row, where there is none."""
    there = f'SELECT 1 FROM "{chained.table.name}" WHERE "{child.parent}" = given."{child.of}"'  # noqa: S608
    return f'SELECT DISTINCT given."{child.of}" FROM {_given(child.table)} WHERE NOT EXISTS ({there})'  # noqa: S608


def values_of(chained: Chained, child: Child) -> str:
    """Of each child: its row's subject, and each value that has a proof of its own, followed by that."""
    apart = ", ".join(f'child."{name}", child."{name}_proof"' for name in child.by_proof)
    joined = f'"{child.table.name}" AS child ON child."{child.of}" = given."{child.parent}"'
    return f"SELECT {subject_of(chained)}, {apart} FROM {_given(chained.table)} JOIN {joined}"  # noqa: S608


def subjects_in(chained: Chained) -> str:
    """The subjects of all rows."""
    return f"SELECT {subject_of(chained)} FROM {_given(chained.table)}"  # noqa: S608


def subject_of(chained: Chained) -> str:
    """A row's subject, as an expression."""
    pieces = FIELD.split(chained.subject)
    words = [f'given."{piece}"' if number % 2 else f"'{piece}'" for number, piece in enumerate(pieces)]
    return " || ".join(word for word in words if word != "''")


@lru_cache(maxsize=256)
def _reading(chained: Chained, version: int, dialect: str) -> str:
    return f"SELECT {subject_of(chained)}, {_text(chained, version, dialect)} FROM "  # noqa: S608


def _text(chained: Chained, version: int, dialect: str) -> str:
    columns = [f'given."{name}"' for name in chained.proved_in(version)]
    columns += [_proof(chained.table, name) for name in chained.by_proof]
    columns += [_children(child, dialect) for child in chained.children]
    return f"{_array(columns, dialect)}"


def _proof(table: Table, name: str) -> str:
    """The digest without the salt, which may be erased."""
    return f'substr(given."{name}_proof", 33)'


def _children(child: Child, dialect: str) -> str:
    mine = f'FROM "{child.table.name}" WHERE "{child.of}" = given."{child.parent}"'
    names = [f'"{name}"' for name in child.proved]
    text = _array([*names, *(f'substr("{name}_proof", 33)' for name in child.by_proof)], dialect)
    if dialect == "postgresql":
        is_text = [child.table.c[name].type.python_type is str for name in child.proved]
        order = ", ".join(f'{name} COLLATE "C"' if words else name for name, words in zip(names, is_text, strict=True))
        return f"(SELECT json_agg({text} {f'ORDER BY {order}' if order else ''}) {mine})"
    listed = f"SELECT {text} AS child {mine} {'ORDER BY ' if names else ''}{', '.join(names)}"
    return f"(SELECT json_group_array(child) FROM ({listed}))"  # noqa: S608


def _array(values: Sequence[str], dialect: str) -> str:
    joined = ", ".join(values)
    return f"CAST(json_build_array({joined}) AS text)" if dialect == "postgresql" else f"json_array({joined})"


def _bytes(text: str, dialect: str) -> str:
    return f"convert_to({text}, 'UTF8')" if dialect == "postgresql" else f"CAST({text} AS BLOB)"


def _given(table: Table) -> str:
    return f'"{table.name}" AS given'


def _among(chained: Chained, count: int, dialect: str) -> str:
    """The rows whose key is one of `count` ones."""
    if dialect == "postgresql":
        # Row by row: as long as the statistics lag behind a burst, a join would read the whole table each time.
        arrays = [f"%s::{'bigint' if is_number(chained.table.c[name]) else 'text'}[]" for name in chained.key]
        columns = [f'"wanted_{name}"' for name in chained.key]
        same = " AND ".join(f'"{name}" = "wanted_{name}"' for name in chained.key)
        row = f'SELECT * FROM "{chained.table.name}" WHERE {same} LIMIT 1'  # noqa: S608
        return f"unnest({', '.join(arrays)}) wanted({', '.join(columns)}) CROSS JOIN LATERAL ({row}) AS given"
    names = [f'given."{name}"' for name in chained.key]
    if len(names) == 1:
        return f"{_given(chained.table)} WHERE {names[0]} IN ({', '.join('?' * count)})"
    marks = f"({', '.join('?' * len(names))})"
    return f"{_given(chained.table)} WHERE ({', '.join(names)}) IN (VALUES {', '.join([marks] * count)})"
