"""Writes, applies and checks the versions of a service's schema, by Alembic: one generic environment for all services.

python -m libs.storage.revisions revision ledger -m "documents"      writes the next version
python -m libs.storage.revisions upgrade ledger sqlite:///ledger.db
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.schema import CheckConstraint
from sqlmodel import AutoString

from .engine import connect, open_engine, schema_of
from .types import UtcTimestamp
from .versions import versions_of

ENVIRONMENT = Path(__file__).parent / "migrations"


# Alembic keeps its context in module globals, so one process migrates one database at a time.
_one_at_a_time = threading.Lock()


def apply(engine: Engine, service_package: str) -> None:
    """Run the versions that are due, in one transaction. Whoever does the same at the same time waits."""
    with _one_at_a_time, connect(engine) as connection:
        if engine.dialect.name == "postgresql":
            _enter_schema(connection, schema_of(engine))
            _run(connection, service_package)
            connection.commit()
        else:
            _upgrade_sqlite(connection, service_package)


def check(engine: Engine, metadata: MetaData, service_package: str) -> list[str]:
    """How a migrated database differs from the declared tables; empty if it does not. For each service's tests."""
    scripts = ScriptDirectory.from_config(_config(service_package))
    found = [] if len(scripts.get_heads()) == 1 else [f"{len(scripts.get_heads())} heads"]
    with connect(engine) as connection:
        context = MigrationContext.configure(connection, opts=dict(OPTIONS))
        found += [repr(difference) for difference in compare_metadata(context, metadata)]
        inspector = inspect(connection)
        for table in metadata.sorted_tables:
            if not inspector.has_table(table.name):
                continue  # compare_metadata has said so
            # Alembic compares no checks.
            declared = {str(c.name) for c in table.constraints if isinstance(c, CheckConstraint) and c.name}
            present = {str(c["name"]) for c in inspector.get_check_constraints(table.name)}
            found += [f"check {name} of {table.name}" for name in sorted(declared ^ present)]
    return found


def write_revision(service_package: str, message: str) -> Path:
    """Write the version that leads from the newest one to the declared tables."""
    metadata = importlib.import_module(f"{service_package}.storage.rows").metadata
    versions_of(service_package).mkdir(parents=True, exist_ok=True)
    config = _config(service_package)
    numbers = [int(script.revision) for script in ScriptDirectory.from_config(config).walk_revisions()]
    engine = open_engine("sqlite://", service_package.rpartition(".")[2])
    with connect(engine) as connection:
        if numbers:
            _run(connection, service_package)
        config.attributes.update(connection=connection, metadata=metadata)
        script = command.revision(config, message, autogenerate=True, rev_id=f"{max(numbers, default=0) + 1:04d}")
    assert script is not None
    assert not isinstance(script, list)
    path = Path(script.path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "# ###" not in line))
    return path


def _render(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """How our own and SQLModel's types are written into a version."""
    if kind == "type" and isinstance(item, UtcTimestamp):
        context.imports.add("\nfrom libs.storage.types import UtcTimestamp")
        return "UtcTimestamp()"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


OPTIONS: dict[str, Any] = {
    "render_as_batch": True,
    "render_item": _render,
    "compare_type": True,
    "transactional_ddl": True,
}


def _config(service_package: str) -> Config:
    config = Config(cmd_opts=argparse.Namespace(quiet=True))
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(versions_of(service_package)))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["options"] = OPTIONS
    return config


def _run(connection: Connection, service_package: str) -> None:
    config = _config(service_package)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _enter_schema(connection: Connection, schema: str) -> None:
    """Wait for our turn, for the length of the transaction, and make the schema if it is missing."""
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"concord.{schema}"})
    # A role without the right to create schemas may not even say IF NOT EXISTS.
    if connection.scalar(text("SELECT to_regnamespace(:schema)"), {"schema": schema}) is None:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))


def _upgrade_sqlite(connection: Connection, service_package: str) -> None:
    """SQLite alters a table by making it anew, which foreign keys would undo; they are checked at the end instead."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():  # BEGIN IMMEDIATE: a second process waits here
            _run(connection, service_package)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise ValueError(f"the migration breaks foreign keys of {sorted({row[0] for row in broken})}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m libs.storage.revisions")
    commands = parser.add_subparsers(dest="command", required=True)
    revision = commands.add_parser("revision", help="write the next version of a service's schema")
    revision.add_argument("service")
    revision.add_argument("-m", "--message", required=True)
    bring = commands.add_parser("upgrade", help="bring a database to the newest version")
    bring.add_argument("service")
    bring.add_argument("url")
    given = parser.parse_args(arguments)
    package = f"services.{given.service}"
    if given.command == "revision":
        path = write_revision(package, given.message)
        subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=True)  # noqa: S603
        print(path)  # noqa: T201
    else:
        apply(open_engine(given.url, given.service), package)


if __name__ == "__main__":
    main()
