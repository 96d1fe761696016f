from __future__ import annotations

import pytest

from libs.telemetry import names
from libs.telemetry.config import TelemetryConfig
from libs.telemetry.metrics import QueueReading, Scope, UnmatchedReading
from libs.telemetry.odoo import TracedOdoo
from libs.telemetry.setup import configure
from tests.telemetry.spans import SAMPLED, UNSAMPLED, Recorder, scraped, trace_of

STRIPE = Scope("companies/acme", "stripe", "stripe/main")
STRIPE_KEY = (
    (names.COMPANY, "companies/acme"),
    (names.INTERFACE, "stripe/main"),
    (names.PROVIDER, "stripe"),
)


def with_reason(reason: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((*STRIPE_KEY, (names.REASON, reason))))


def test_every_figure_is_counted_by_whose_it_is(recorder: Recorder) -> None:
    metrics = recorder.telemetry.metrics
    metrics.received(STRIPE, 5)
    metrics.posted(STRIPE, 3.0)
    metrics.duplicate(STRIPE, 2)
    metrics.no_effect(STRIPE)
    metrics.retry(STRIPE, "ODOO_UNAVAILABLE")
    metrics.exception(STRIPE, "ACCOUNT_MISSING")
    metrics.signature_failure(STRIPE, "SIGNATURE_STALE")
    metrics.mapping_failure(STRIPE, "MAPPING_MISSING")
    metrics.unresolved("companies/acme", "PARTY_UNKNOWN", 2)
    metrics.worker_failure("post", "ODOO_UNAVAILABLE")
    expected = {
        names.METRIC_RECEIVED: {STRIPE_KEY: 5},
        names.METRIC_POSTED: {STRIPE_KEY: 1},
        names.METRIC_LATENCY: {STRIPE_KEY: 1},
        names.METRIC_DUPLICATES: {STRIPE_KEY: 2},
        names.METRIC_NO_EFFECT: {STRIPE_KEY: 1},
        names.METRIC_RETRIES: {with_reason("ODOO_UNAVAILABLE"): 1},
        names.METRIC_EXCEPTIONS: {with_reason("ACCOUNT_MISSING"): 1},
        names.METRIC_SIGNATURE_FAILURES: {with_reason("SIGNATURE_STALE"): 1},
        names.METRIC_MAPPING_FAILURES: {with_reason("MAPPING_MISSING"): 1},
        names.METRIC_UNRESOLVED: {((names.COMPANY, "companies/acme"), (names.REASON, "PARTY_UNKNOWN")): 2},
        names.METRIC_WORKER_FAILURES: {((names.REASON, "ODOO_UNAVAILABLE"), (names.WORKER, "post")): 1},
    }
    assert {name: recorder.points(name) for name in expected} == expected


def test_queues_and_unmatched_lines_are_read_when_they_are_asked_for(recorder: Recorder) -> None:
    depth = [3]
    recorder.telemetry.metrics.watch_queues(lambda: [QueueReading("ready", depth[0], 12.5, Scope("companies/acme"))])
    recorder.telemetry.metrics.watch_unmatched(lambda: [UnmatchedReading(4, Scope("companies/acme"))])
    key = ((names.COMPANY, "companies/acme"), (names.QUEUE, "ready"))
    assert recorder.points(names.METRIC_QUEUE_DEPTH) == {key: 3}
    depth[0] = 8
    assert recorder.points(names.METRIC_QUEUE_DEPTH) == {key: 8}
    assert recorder.points(names.METRIC_QUEUE_AGE) == {key: 12.5}
    assert recorder.points(names.METRIC_UNMATCHED) == {((names.COMPANY, "companies/acme"),): 4}


def test_a_scrape_asks_for_the_queues_once(recorder: Recorder) -> None:
    asked: list[QueueReading] = []

    def read() -> list[QueueReading]:
        asked.append(QueueReading("ready", len(asked), 12.5))
        return asked[-1:]

    recorder.telemetry.metrics.watch_queues(read)
    for scrape in range(2):
        assert recorder.points(names.METRIC_QUEUE_DEPTH) == {((names.QUEUE, "ready"),): scrape}
    assert len(asked) == 2


def test_a_queue_that_cannot_be_read_does_not_spoil_the_scrape() -> None:
    telemetry = configure(TelemetryConfig("ledger", metrics_listen="127.0.0.1:0"))

    def broken() -> list[QueueReading]:
        raise OSError("database is away")

    telemetry.metrics.watch_queues(broken)
    telemetry.metrics.received(STRIPE)
    assert "concord_events_received_total{" in scraped(telemetry)
    telemetry.shutdown()


class OdooUnavailable(Exception):
    pass


class FakeOdoo:
    def execute(self, model: str, method: str, args: list[object], kwargs: object = None) -> object:
        if method == "action_post":
            raise OdooUnavailable("connection to odoo.example of Mrs. X")
        return [model, method, args, kwargs]


@pytest.mark.parametrize(("transaction_id", "spans"), [(SAMPLED, 2), (UNSAMPLED, 0)])
def test_odoo_calls_are_timed_always_and_traced_for_the_tenth(
    recorder: Recorder, transaction_id: str, spans: int
) -> None:
    odoo = TracedOdoo(FakeOdoo(), recorder.tracer, recorder.telemetry.metrics)
    with recorder.tracer.step("post", transaction_id):
        assert odoo.execute("account.move", "read", [[1]], {"fields": ["name"]}) == [
            "account.move",
            "read",
            [[1]],
            {"fields": ["name"]},
        ]
        with pytest.raises(OdooUnavailable):
            odoo.execute("account.move", "action_post", [[1]])
    calls = [span for span in recorder.spans() if span.name != "post"]
    assert len(calls) == spans
    assert all(trace_of(span) == transaction_id for span in calls)
    assert not any("Mrs. X" in span.to_json() for span in calls)
    outcomes = {
        (dict(key)[names.ODOO_METHOD], dict(key)[names.ODOO_OUTCOME]): count
        for key, count in recorder.points(names.METRIC_ODOO_LATENCY).items()
    }
    assert outcomes == {("read", "ok"): 1, ("action_post", "OdooUnavailable"): 1}


def test_calls_for_one_companys_books_are_timed_by_company(recorder: Recorder) -> None:
    odoo = TracedOdoo(FakeOdoo(), recorder.tracer, recorder.telemetry.metrics)
    with recorder.tracer.step("post", SAMPLED):
        odoo.of_company("acme").execute("account.move", "read", [[1]])
        odoo.execute("res.company", "search", [[]])
    assert {dict(key).get(names.COMPANY) for key in recorder.points(names.METRIC_ODOO_LATENCY)} == {"acme", None}
    (traced,) = [span for span in recorder.spans() if span.name == "odoo account.move.read"]
    assert dict(traced.attributes or {})[names.COMPANY] == "acme"
