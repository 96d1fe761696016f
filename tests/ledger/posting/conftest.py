from __future__ import annotations

import pytest

from tests.ledger.posting.world import PostingWorld
from tests.storage.fixtures import EngineFor


@pytest.fixture
def world(engine_for: EngineFor) -> PostingWorld:
    return PostingWorld(engine_for("services.ledger"))
