from __future__ import annotations

import pytest
from opentelemetry.trace import StatusCode

from libs.errors import ConcordError, Kind
from libs.telemetry.context import current_transaction_id, traceparent_of
from libs.telemetry.trace import Tracer
from tests.telemetry.spans import SAMPLED, UNSAMPLED, Recorder, id_of, links_of, parent_of, root_traceparent, trace_of


class PartnerUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "PARTNER_UNKNOWN"


@pytest.mark.parametrize("transaction_id", [SAMPLED, UNSAMPLED])
def test_a_transactions_trace_id_is_its_id_and_its_business_steps_are_always_recorded(
    recorder: Recorder, transaction_id: str
) -> None:
    with recorder.tracer.transaction("gateway.receive", transaction_id, {"concord.provider": "stripe"}) as root:
        stored = root.traceparent
    with recorder.tracer.step("ledger.post", transaction_id, stored):
        pass
    received, posted = recorder.spans()
    assert {trace_of(received), trace_of(posted)} == {transaction_id}
    assert (parent_of(received), parent_of(posted)) == ("", id_of(received))
    assert posted.attributes is not None
    assert posted.attributes["concord.transaction_id"] == transaction_id
    assert received.attributes is not None
    assert received.attributes["concord.provider"] == "stripe"


def test_a_row_that_holds_only_the_transaction_id_hangs_its_steps_from_the_root(recorder: Recorder) -> None:
    with recorder.tracer.transaction("gateway.receive", UNSAMPLED) as root:
        assert root.traceparent == root_traceparent(UNSAMPLED)
    with recorder.tracer.step("ledger.post", UNSAMPLED):
        pass
    received, posted = recorder.spans()
    assert parent_of(posted) == id_of(received) == UNSAMPLED[16:]


@pytest.mark.parametrize(
    ("transaction_id", "seen"),
    [(SAMPLED, ["odoo", "post", "receive"]), (UNSAMPLED, ["post", "receive"])],
)
def test_technical_children_are_recorded_for_the_tenth_and_leave_no_missing_parents(
    recorder: Recorder, transaction_id: str, seen: list[str]
) -> None:
    tracer = recorder.tracer
    with (
        tracer.transaction("receive", transaction_id) as root,
        tracer.technical("odoo"),
        tracer.step("post", transaction_id, traceparent_of()),
    ):
        assert current_transaction_id() == transaction_id
    spans = recorder.spans()
    assert sorted(span.name for span in spans) == seen
    known = {id_of(span) for span in spans}
    assert all(parent_of(span) in known | {""} for span in spans)
    assert root.traceparent.endswith("01" if transaction_id == SAMPLED else "00")


def test_the_stored_decision_wins_over_the_share_of_today() -> None:
    all_of_it = Recorder(technical_share=1.0)
    begun_out = root_traceparent(UNSAMPLED, 0.1)
    with all_of_it.tracer.step("post", UNSAMPLED, begun_out), all_of_it.tracer.technical("odoo"):
        pass
    assert all_of_it.names() == ["post"]
    all_of_it.close()


def test_a_partners_traceparent_becomes_a_link(recorder: Recorder) -> None:
    partners = "4bf92f3577b34da6a3ce929d0e0e4736"
    with recorder.tracer.transaction("receive", SAMPLED, links=[f"00-{partners}-00f067aa0ba902b7-01", "nonsense"]):
        pass
    assert [links_of(span) for span in recorder.spans()] == [[partners]]


def test_a_step_stays_in_its_own_trace_whatever_is_current_or_stored(recorder: Recorder) -> None:
    tracer = recorder.tracer
    with tracer.transaction("receive", SAMPLED) as other, tracer.step("post", UNSAMPLED, other.traceparent):
        pass
    posted = recorder.spans()[0]
    assert trace_of(posted) == UNSAMPLED
    assert links_of(posted) == [SAMPLED]


def test_a_batch_is_its_own_trace_and_gives_each_item_a_span_linked_to_it(recorder: Recorder) -> None:
    with recorder.tracer.batch("ledger.post_batch", {"concord.batch.items": 2}) as batch:
        batch.item("ledger.post", SAMPLED, root_traceparent(SAMPLED))
        batch.item("ledger.post", UNSAMPLED, "", {"concord.posting": "p2"}, failed="ACCOUNT_MISSING")
    first, second, whole = recorder.spans()
    assert [trace_of(first), trace_of(second)] == [SAMPLED, UNSAMPLED]
    assert links_of(first) == links_of(second) == [trace_of(whole)]
    assert trace_of(whole) not in (SAMPLED, UNSAMPLED)
    assert first.start_time == second.start_time == whole.start_time
    assert first.status.status_code is StatusCode.UNSET
    assert (second.status.status_code, second.status.description) == (StatusCode.ERROR, "ACCOUNT_MISSING")


def test_a_match_joins_each_transactions_own_trace_linked_to_the_statements(recorder: Recorder) -> None:
    statement = "0190a3c07b1e70008000000000000009"
    with recorder.tracer.transaction("recon.import", statement) as importing:
        pass
    recorder.tracer.join(
        "recon.match", [(SAMPLED, None), (UNSAMPLED, root_traceparent(UNSAMPLED))], importing.traceparent
    )
    _, first, second = recorder.spans()
    assert [trace_of(first), trace_of(second)] == [SAMPLED, UNSAMPLED]
    assert links_of(first) == links_of(second) == [statement]


def test_an_error_marks_the_span_by_its_reason_and_leaves_no_text(recorder: Recorder) -> None:
    with pytest.raises(PartnerUnknown), recorder.tracer.transaction("post", SAMPLED):
        raise PartnerUnknown("no partner for Mrs. X")
    with pytest.raises(ValueError, match="IBAN"), recorder.tracer.step("post", SAMPLED):
        raise ValueError("IBAN DE02 of Mrs. X")
    first, second = recorder.spans()
    assert (first.status.description, second.status.description) == ("PARTNER_UNKNOWN", "ValueError")
    assert "Mrs. X" not in first.to_json() + second.to_json()
    assert not first.events
    assert not second.events


def test_without_an_exporter_nothing_is_recorded_yet_context_is_passed_on() -> None:
    tracer = Tracer(None)
    with tracer.transaction("receive", SAMPLED) as root:
        assert current_transaction_id() == SAMPLED
        with tracer.technical("odoo") as technical:
            assert technical.traceparent == root.traceparent == root_traceparent(SAMPLED)
    assert traceparent_of() == ""
    with tracer.step("post", SAMPLED, root.traceparent) as step, tracer.batch("batch") as batch:
        step.set("concord.posting", "p")
        step.fail("SOME_REASON")
        batch.item("post", UNSAMPLED)
        tracer.join("match", [(SAMPLED, None)], step.traceparent)
        assert step.traceparent == root.traceparent


@pytest.mark.parametrize("transaction_id", ["", "t1", "0" * 32, "g" * 32])
def test_what_is_no_transaction_id_is_not_traced_and_does_no_harm(recorder: Recorder, transaction_id: str) -> None:
    with recorder.tracer.transaction("receive", transaction_id) as root:
        assert root.traceparent == ""
    with recorder.tracer.step("post", transaction_id, root.traceparent):
        pass
    with recorder.tracer.batch("batch") as batch:
        batch.item("post", transaction_id)
    assert recorder.names() == ["batch"]
