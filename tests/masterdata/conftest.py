from __future__ import annotations

import pytest

from tests.masterdata.company import World, new_world
from tests.storage.fixtures import EngineFor


@pytest.fixture
def world(engine_for: EngineFor) -> World:
    """A synced company without a mapping."""
    return new_world(engine_for)
