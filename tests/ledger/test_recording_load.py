from __future__ import annotations

from sqlalchemy import func, select

from services.ledger.storage.tables import EVENT, EVENT_REFERENCE
from tests.ledger.recording_load import RecordingLoad
from tests.storage.fixtures import EngineFor


def test_the_load_and_its_limit_write_the_same_numbers_of_rows(engine_for: EngineFor) -> None:
    load = RecordingLoad(engine_for("services.ledger"))
    told = load.events(20)
    assert load.record(told) == 20
    assert load.record(told) == 0
    load.write_plain(load.plain_rows(20))
    with load.engine.connect() as connection:
        events = connection.scalar(select(func.count()).select_from(EVENT))
        references = connection.scalar(select(func.count()).select_from(EVENT_REFERENCE))
    assert (events, references) == (41, 123)
