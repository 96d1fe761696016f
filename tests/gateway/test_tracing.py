"""Each transaction's trace begins where it is first stored, and every step hangs in it."""

from __future__ import annotations

from datetime import timedelta

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.telemetry.config import TelemetryConfig
from libs.telemetry.setup import configure
from services.gateway.assembly import Surroundings
from tests.gateway.world import NOW, GatewayWorld


def test_a_webhook_s_walk_is_one_trace_and_a_page_s_events_have_their_own() -> None:
    exporter = InMemorySpanExporter()
    telemetry = configure(TelemetryConfig("gateway"), span_exporter=exporter)
    world = GatewayWorld()
    world.tracing = telemetry.tracer
    world.gateway = world.started(5)
    assert isinstance(world.gateway.world, Surroundings)
    charge = world.account.charge("ch_1", 10800, NOW - timedelta(hours=1), fee=343)
    transaction_id = world.deliver_stripe(world.account.event("evt_1", "charge.succeeded", charge, NOW))
    world.run()
    telemetry.flush()
    spans = exporter.get_finished_spans()
    telemetry.shutdown()
    traces: dict[str, list[str]] = {}
    for span in sorted(spans, key=lambda span: span.start_time or 0):
        assert span.context is not None
        traces.setdefault(f"{span.context.trace_id:032x}", []).append(span.name)
    assert traces[transaction_id] == ["received", "translated", "forwarded"]
    capture = world.ledger.events["sources/stripe/accounts/acct_1/events/txn_ch_1"].transaction_id
    assert traces[capture] == ["translated", "forwarded"]
    began = next(
        span for span in spans if span.context and f"{span.context.trace_id:032x}" == capture and not span.parent
    )
    (link,) = began.links
    assert traces[f"{link.context.trace_id:032x}"][0] == "received"
