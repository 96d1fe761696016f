"""A database that goes through a migration with rows in it."""

from __future__ import annotations

import importlib

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine

from libs.storage.revisions import check
from services.ledger.storage.rows import metadata


def go_back_and_forth(engine: Engine, version: str) -> None:
    """Undo a version, as if it had never been there, and make it again over the rows there are."""
    module = importlib.import_module(f"services.ledger.storage.migrations.versions.{version}")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        module.downgrade()
        module.upgrade()
    assert check(engine, metadata, "services.ledger") == []
