from __future__ import annotations

from tests.storage.fixtures import engine_for as engine_for
