"""Databases for one run: SQLite files in a folder, or schemas of a PostgreSQL; all gone afterwards."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
from sqlalchemy import make_url

SQLITE = "sqlite"
POSTGRESQL = "postgresql"


class Scratch:
    """Makes databases of one kind. `postgres_url` names the server where `kind` is PostgreSQL."""

    def __init__(self, kind: str, postgres_url: str = "", parent: Path | None = None) -> None:
        self.kind = kind
        self._postgres_url = postgres_url
        self._schemas: list[str] = []
        self.folder = Path(tempfile.mkdtemp(prefix="concord-bench-", dir=parent))

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._schemas:
            with self.driver() as connection:
                for schema in self._schemas:
                    connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def title(self) -> str:
        """The database and how durable its commits are."""
        if self.kind == SQLITE:
            return f"SQLite {sqlite3.sqlite_version} (WAL, synchronous=FULL)"
        with self.driver() as connection:
            settings = {
                name: str(connection.execute(f"SHOW {name}").fetchall()[0][0])
                for name in ("server_version", "fsync", "synchronous_commit")
            }
        version = settings["server_version"].split()[0]
        return f"PostgreSQL {version} (fsync={settings['fsync']}, synchronous_commit={settings['synchronous_commit']})"

    def database(self, service: str) -> tuple[str, str]:
        """URL and schema of a new, empty database."""
        unique = uuid.uuid4().hex[:10]
        if self.kind == SQLITE:
            return f"sqlite:///{self.folder / f'{service}-{unique}.db'}", service
        schema = f"bench_{service}_{unique}"
        self._schemas.append(schema)
        return self._postgres_url, schema

    def driver(self) -> psycopg.Connection[Any]:
        """A plain connection to the PostgreSQL, which commits each statement."""
        address = make_url(self._postgres_url).set(drivername="postgresql")
        return psycopg.connect(address.render_as_string(hide_password=False), autocommit=True)

    def rows(self, url: str, schema: str, statement: str) -> list[Any]:
        """What a query finds, read past all of our own code."""
        if self.kind == SQLITE:
            connection = sqlite3.connect(url.removeprefix("sqlite:///"))
            try:
                return connection.execute(statement).fetchall()
            finally:
                connection.close()
        with self.driver() as server:
            server.execute(f'SET search_path TO "{schema}"')
            return server.execute(statement).fetchall()
