"""The tables that a running service imports are those that its rows declare, and they come without SQLModel."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import JSON, Column, MetaData, Table

from scripts import tables
from tests.architecture.source import ROOT

SERVICES = tables.services()


@pytest.mark.parametrize("service", SERVICES)
def test_the_tables_are_what_the_rows_declare(service: str) -> None:
    assert tables.path_of(service).read_text() == tables.source_of(service), "run `make tables`"


def test_a_type_that_nobody_can_write_is_refused() -> None:
    with pytest.raises(TypeError, match="JSON"):
        tables.written("NOTE", Table("note", MetaData(), Column("body", JSON)))


# What a start on SQLite without collector, broker and TLS is spared (ADR 0019).
SPARED = "sqlmodel pydantic sqlalchemy.orm psycopg alembic opentelemetry.sdk nats httpx odoorpc jwt duckdb pyarrow"
LOADED = """
import importlib, sys
importlib.import_module(f"services.{sys.argv[1]}.main")
print(*[name for name in sys.argv[2:] if name in sys.modules])
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_start_loads_what_it_needs(service: str) -> None:
    arguments = [sys.executable, "-c", LOADED, service, *SPARED.split()]
    assert subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split() == []
