"""A look at a provider's message, without keeping it."""

from __future__ import annotations

import json

from providers import PROVIDERS
from services.gateway.handlers.inspect_event import inspect_event
from tests.gateway.world import GOLDEN, NOW


def test_a_look_at_a_message_hides_no_part_that_cannot_be_read() -> None:
    order = json.loads((GOLDEN / "shopify" / "order.refunded.json").read_text())
    order["refunds"][0]["transactions"][0]["amount"] = "30.00"
    found = inspect_event(PROVIDERS["shopify"], json.dumps(order).encode(), NOW)
    assert [event["kind"] for event in found["events"]] == ["invoice"]
    assert found["problems"] == ["DOCUMENT_TOTAL_UNEXPLAINED"]


def test_a_message_can_be_looked_at_without_keeping_it() -> None:
    stripe = PROVIDERS["stripe"]
    found = inspect_event(stripe, (GOLDEN / "stripe" / "charge.succeeded.expanded.json").read_bytes(), NOW)
    assert found["ignored"] is None
    (event,) = found["events"]
    assert (event["kind"], event["source_event_id"]) == ("capture", "evt_X")
    assert (event["amount"], event["currency"]) == ("54.45", "USD")
    assert {"kind": "order", "value": "1002"} in event["references"]
    silent = inspect_event(stripe, (GOLDEN / "stripe" / "customer.created.json").read_bytes(), NOW)
    assert silent == {"events": [], "ignored": "CONCERNS_NO_MONEY"}
    trial = inspect_event(stripe, (GOLDEN / "stripe" / "charge.succeeded.testmode.json").read_bytes(), NOW)
    assert len(trial["events"]) == 1
