"""What a document says of people stays in the event's payload: no span or log carries it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from libs.events import CommercialDocument, Event, ExternalId, Party, Tender, TenderKind
from libs.events.codec import event_to_json
from libs.telemetry.logs import JsonLines
from services.ledger.storage.uow import LedgerUowFactory
from services.ledger.telemetry import LedgerTelemetry
from tests.ledger.events import order
from tests.ledger.world import World
from tests.telemetry.spans import Recorder

PERSONAL = ("ada@example.test", "Ada Archer", "DE123456789", "company-77")


def sold(number: str, *tenders: Tender) -> Event:
    event = order(number)
    assert isinstance(event.body, CommercialDocument)
    email, name, tax_id, company = PERSONAL
    buyer = Party("77", "shopify/shop-1", name, tax_id=tax_id, email=email, other_ids=(ExternalId(company),))
    body = replace(event.body, buyer=buyer, tenders=tenders)
    return replace(event, name=f"{event.name}-{number}", object_id=number, body=body)


def test_neither_spans_nor_logs_say_who_bought(world: World, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder(technical_share=1.0)
    telemetry = LedgerTelemetry(recorder.tracer, recorder.telemetry.metrics, world.clock)
    world.new_uow = LedgerUowFactory(world.engine, listen=telemetry.committed)
    good, case = sold("5001"), sold("5002", Tender(TenderKind.CASH))
    assert all(text in event_to_json(good) for text in PERSONAL)
    with caplog.at_level(logging.DEBUG):
        world.record(good, case)
        world.new_builder("builder-1").run_once()
    assert world.reasons() == ["TENDER_UNSUPPORTED"]
    spans = [span.to_json() for span in recorder.spans()]
    lines = [JsonLines("ledger").format(record) for record in caplog.records]
    assert spans, "else nothing is shown"
    told = json.dumps([spans, lines])
    assert [text for text in PERSONAL if text in told] == []
    recorder.close()
