from __future__ import annotations

from tests.masterdata.company import world as world
from tests.storage.fixtures import engine_for as engine_for
