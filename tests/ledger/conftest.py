from __future__ import annotations

import pytest

from tests.ledger.world import World
from tests.storage.fixtures import EngineFor


@pytest.fixture
def world(engine_for: EngineFor) -> World:
    return World(engine_for("services.ledger"))
