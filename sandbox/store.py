# ruff: noqa: S608  table and column names come from the schema, values are always bound
"""The sandbox's books in SQLite: tables made from the schema, and the few statements it needs.

The only module that speaks SQL to change anything; `query` builds what is read by domain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from .fields import Model
from .schema import schema_at

Row: TypeAlias = dict[str, Any]

_TYPES = {"integer": "INTEGER", "boolean": "INTEGER", "monetary": "INTEGER", "many2one": "INTEGER", "float": "REAL"}
_EXTRA = """
CREATE TABLE IF NOT EXISTS sandbox (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS api_key (digest TEXT PRIMARY KEY, user_id INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS ir_model_data_module_name_uniq_index ON ir_model_data (module, name);
CREATE INDEX IF NOT EXISTS ir_model_data_record ON ir_model_data (model, res_id);
CREATE INDEX IF NOT EXISTS account_move_number ON account_move (journal_id, sequence_prefix, sequence_number);
CREATE INDEX IF NOT EXISTS account_move_journal ON account_move (journal_id);
CREATE INDEX IF NOT EXISTS account_move_by_date ON account_move (journal_id, date);
CREATE UNIQUE INDEX IF NOT EXISTS account_move_posted_name ON account_move (journal_id, name)
  WHERE state = 'posted';
CREATE INDEX IF NOT EXISTS account_move_line_account ON account_move_line (account_id, partner_id);
"""


class SqliteStore:
    """One database file, or memory. Takes and gives stored values: money in millionths."""

    def __init__(self, path: str, version: int) -> None:
        self.path = path
        self.schema = schema_at(version)
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=1024)
        self.db.row_factory = sqlite3.Row
        if path == ":memory:":
            self.db.execute("PRAGMA journal_mode = MEMORY")  # a rollback needs one, so not OFF
        else:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = FULL")
        self._inserts: dict[tuple[str, ...], str] = {}
        # External ids that a refused `load` took back: (module, name) to model. Odoo keeps
        # them in a cache of its process, so a restart forgets them.
        self.ghosts: dict[tuple[str, str], str] = {}

    def create_tables(self) -> None:
        """Make what is missing; an existing file keeps its books."""
        for model in self.schema.values():
            self.db.execute(_table(model))
            for name, field in model.fields.items():
                if field.index and field.stored:
                    self.db.execute(f"CREATE INDEX IF NOT EXISTS {model.table}_{name} ON {model.table} ({name})")
                if field.kind == "many2many" and field.table:
                    self.db.execute(
                        f"CREATE TABLE IF NOT EXISTS {field.table} (left_id INTEGER NOT NULL,"
                        " right_id INTEGER NOT NULL, PRIMARY KEY (left_id, right_id)) WITHOUT ROWID"
                    )
                    self.db.execute(f"CREATE INDEX IF NOT EXISTS {field.table}_right ON {field.table} (right_id)")
            if columns := model.unique.get("columns"):
                name = f"{model.table}_{'_'.join(columns)}_uniq"
                self.db.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {model.table} ({', '.join(columns)})")
        self.db.executescript(_EXTRA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; the call's own transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the transaction that can be undone alone."""
        self.db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO part")
            self.db.execute("RELEASE part")
            raise
        self.db.execute("RELEASE part")

    def insert(self, table: str, values: Mapping[str, Any]) -> int:
        key = (table, *values)
        statement = self._inserts.get(key)
        if statement is None:
            marks = ", ".join("?" * len(values))
            statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
            self._inserts[key] = statement
        cursor = self.db.execute(statement, tuple(values.values()))
        return int(cursor.lastrowid or 0)

    def update(self, table: str, record_id: int, values: Mapping[str, Any]) -> None:
        if values:
            columns = ", ".join(f"{name} = ?" for name in values)
            self.db.execute(f"UPDATE {table} SET {columns} WHERE id = ?", (*values.values(), record_id))

    def update_where(self, table: str, column: str, value: int, values: Mapping[str, Any]) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(f"UPDATE {table} SET {columns} WHERE {column} = ?", (*values.values(), value))

    def delete(self, table: str, ids: Iterable[int]) -> None:
        self.db.executemany(f"DELETE FROM {table} WHERE id = ?", [(record_id,) for record_id in ids])

    def get(self, table: str, record_id: int | None) -> Row | None:
        row = self.db.execute(f"SELECT * FROM {table} WHERE id = ?", (record_id,)).fetchone()
        return dict(row) if row else None

    def need(self, table: str, record_id: int) -> Row:
        """A row that must exist, because the books refer to it."""
        row = self.get(table, record_id)
        if row is None:
            raise LookupError(f"{table} {record_id}")
        return row

    def get_all(self, table: str, ids: Sequence[int]) -> dict[int, Row]:
        """The rows by id; missing ones are left out."""
        found: dict[int, Row] = {}
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            marks = ", ".join("?" * len(part))
            for row in self.db.execute(f"SELECT * FROM {table} WHERE id IN ({marks})", tuple(part)):
                found[row["id"]] = dict(row)
        return found

    def where(self, table: str, order: str = "id", **values: Any) -> list[Row]:
        """The rows whose columns equal the values."""
        wanted = " AND ".join(f"{name} = ?" for name in values) or "1"
        statement = f"SELECT * FROM {table} WHERE {wanted} ORDER BY {order}"
        return [dict(row) for row in self.db.execute(statement, tuple(values.values()))]

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        return self.db.execute(statement, tuple(parameters)).fetchall()

    def one(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.db.execute(statement, tuple(parameters)).fetchone()
        return row[0] if row else None

    def linked(self, table: str, left_id: int) -> list[int]:
        rows = self.rows(f"SELECT right_id FROM {table} WHERE left_id = ? ORDER BY right_id", (left_id,))
        return [row[0] for row in rows]

    def link(self, table: str, left_id: int, right_ids: Iterable[int]) -> None:
        pairs = [(left_id, right_id) for right_id in right_ids]
        self.db.executemany(f"INSERT OR IGNORE INTO {table} (left_id, right_id) VALUES (?, ?)", pairs)

    def unlink_all(self, table: str, left_id: int) -> None:
        self.db.execute(f"DELETE FROM {table} WHERE left_id = ?", (left_id,))


def _table(model: Model) -> str:
    columns = ["id INTEGER PRIMARY KEY AUTOINCREMENT"]
    for name, field in model.fields.items():
        if field.stored and name != "id":
            columns.append(f"{name} {_TYPES.get(field.kind, 'TEXT')}")
    return f"CREATE TABLE IF NOT EXISTS {model.table} ({', '.join(columns)})"
