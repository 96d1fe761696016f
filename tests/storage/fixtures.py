"""Engines for tests, each on a fresh and migrated database of its own:

    def test_something(engine_for: EngineFor) -> None:
        engine = engine_for("services.ledger")

Every test that uses it runs on SQLite, and on PostgreSQL too where CONCORD_TEST_POSTGRES_URL names a database.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, inspect, make_url, text

from libs.storage.engine import open_engine, schema_of
from libs.storage.migrate import upgrade

EngineFor = Callable[[str], Engine]
POSTGRES = "CONCORD_TEST_POSTGRES_URL"


def database_for(kind: str, folder: Path, service_package: str) -> tuple[str, str]:
    """The URL and schema of a database that nothing is in yet. Skips where there is no PostgreSQL to use."""
    service = service_package.rpartition(".")[2]
    if kind == "sqlite":
        return f"sqlite:///{folder / service}.db", service
    if not os.environ.get(POSTGRES):
        pytest.skip(f"no PostgreSQL: {POSTGRES} is not set")
    return os.environ[POSTGRES], f"test_{service}_{uuid.uuid4().hex[:12]}"


def drop(engine: Engine) -> None:
    """Close an engine and remove its schema."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text(f'DROP SCHEMA IF EXISTS "{schema_of(engine)}" CASCADE'))
    engine.dispose()


def empty(engine: Engine) -> None:
    """Remove every row; PostgreSQL alone."""
    tables = [name for name in inspect(engine).get_table_names(schema_of(engine)) if name != "alembic_version"]
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY"))


@contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of a PostgreSQL database of its own, dropped in the end. Skips where there is no server."""
    if not os.environ.get(POSTGRES):
        pytest.skip(f"no PostgreSQL: {POSTGRES} is not set")
    server = make_url(os.environ[POSTGRES])
    name = f"concord_{uuid.uuid4().hex[:12]}"
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_for(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineFor]:
    """Opens the migrated database of a service: `engine_for("services.ledger")`. The same one if asked again."""
    engines: dict[str, Engine] = {}

    def open_for(service_package: str) -> Engine:
        if service_package not in engines:
            url, schema = database_for(request.param, tmp_path, service_package)
            engines[service_package] = open_engine(url, schema)
            upgrade(engines[service_package], service_package)
        return engines[service_package]

    yield open_for
    for engine in engines.values():
        drop(engine)
