from __future__ import annotations

from libs.storage.revisions import check
from services.masterdata.storage.rows import metadata
from tests.storage.fixtures import EngineFor


def test_the_migrations_make_exactly_the_declared_tables(engine_for: EngineFor) -> None:
    assert check(engine_for("services.masterdata"), metadata, "services.masterdata") == []
