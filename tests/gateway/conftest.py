"""A gateway on a database in a file, for what runs in threads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from tests.gateway.world import GatewayWorld


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "gateway.db"
    engine = open_engine(f"sqlite:///{path}", "gateway")
    upgrade(engine, "services.gateway")
    engine.dispose()
    return path


@pytest.fixture
def world(tmp_path: Path, migrated: Path) -> Iterator[GatewayWorld]:
    copy = shutil.copy(migrated, tmp_path / "gateway.db")
    engine = open_engine(f"sqlite:///{copy}", "gateway")
    yield GatewayWorld(engine, poll=False)
    engine.dispose()
