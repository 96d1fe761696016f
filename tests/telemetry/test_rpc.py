from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from libs.errors import ConcordError, Kind
from libs.rpc.errors import RemoteError
from libs.telemetry import names
from libs.telemetry.config import TelemetryConfig
from libs.telemetry.context import current_transaction_id
from libs.telemetry.setup import configure
from tests.rpc.echo import SHAPES, Echo, EchoStub, Text, calling, serving
from tests.telemetry.spans import SAMPLED, UNSAMPLED, Recorder, id_of, parent_of, root_traceparent, trace_of


class Refused(ConcordError):
    kind = Kind.INVALID
    reason = "REFUSED"


def tells_its_transaction(text: str, context: grpc.ServicerContext) -> str:
    if text == "refuse":
        raise Refused("no")
    if text == "break":
        raise ValueError("of Mrs. X")
    return f"{text}:{current_transaction_id()}"


@contextmanager
def echoing(server_side: Recorder, client_side: Recorder) -> Iterator[EchoStub]:
    with (
        serving(Echo(tells_its_transaction), interceptors=server_side.telemetry.server_interceptors()) as server,
        calling(server, interceptors=client_side.telemetry.client_interceptors()) as stub,
    ):
        yield stub


@pytest.fixture
def caller() -> Iterator[Recorder]:
    caller = Recorder()
    yield caller
    caller.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_call_of_the_tenth_is_one_trace_across_two_services(shape: str, recorder: Recorder, caller: Recorder) -> None:
    with echoing(recorder, caller) as stub, caller.tracer.step("forward", SAMPLED):
        assert stub.call(shape, "a") == f"a:{SAMPLED}"
    client, step = sorted(caller.spans(), key=lambda span: span.name == "forward")
    (server,) = recorder.spans()
    assert {trace_of(span) for span in (client, step, server)} == {SAMPLED}
    assert (parent_of(server), parent_of(client)) == (id_of(client), id_of(step))
    assert (server.kind, client.kind) == (SpanKind.SERVER, SpanKind.CLIENT)
    assert server.attributes is not None
    assert (server.attributes[names.RPC_METHOD], server.attributes[names.RPC_STATUS]) == (shape, "OK")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_call_of_the_others_makes_no_span_and_still_carries_the_transaction(
    shape: str, recorder: Recorder, caller: Recorder
) -> None:
    with echoing(recorder, caller) as stub, caller.tracer.step("forward", UNSAMPLED):
        assert stub.call(shape, "a") == f"a:{UNSAMPLED}"
    assert recorder.names() == []
    assert caller.names() == ["forward"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("text", "status", "fault"), [("refuse", "INVALID_ARGUMENT", False), ("break", "INTERNAL", True)]
)
def test_the_server_span_fails_only_where_the_server_is_the_cause(
    shape: str, text: str, status: str, fault: bool, recorder: Recorder, caller: Recorder
) -> None:
    with echoing(recorder, caller) as stub, caller.tracer.step("forward", SAMPLED), pytest.raises(RemoteError):
        stub.call(shape, text)
    (server,) = recorder.spans()
    client = next(span for span in caller.spans() if span.name != "forward")
    assert server.attributes is not None
    assert server.attributes[names.RPC_STATUS] == status
    assert (server.status.status_code is StatusCode.ERROR) == fault
    assert (client.status.status_code, client.status.description) == (StatusCode.ERROR, status)
    assert "Mrs. X" not in server.to_json() + client.to_json()


def test_a_future_ends_its_span_when_it_is_done(recorder: Recorder, caller: Recorder) -> None:
    with echoing(recorder, caller) as stub, caller.tracer.step("forward", SAMPLED):
        assert stub.say.future(Text(value="a")).result(timeout=60).value == f"a:{SAMPLED}"
    assert sorted(caller.names()) == ["concord.echo.v1.EchoService/Say", "forward"]


def test_a_stream_that_the_client_leaves_ends_its_spans_as_cancelled(recorder: Recorder, caller: Recorder) -> None:
    with echoing(recorder, caller) as stub, caller.tracer.step("forward", SAMPLED):
        stream = stub.list(Text(value="a " * 100_000))
        next(stream)
        stream.cancel()
    client = next(span for span in caller.spans() if span.name != "forward")
    assert client.attributes is not None
    assert client.attributes[names.RPC_STATUS] == "CANCELLED"


def test_without_an_endpoint_the_transaction_still_crosses_services() -> None:
    off = configure(TelemetryConfig("off"))
    with (
        serving(Echo(tells_its_transaction), interceptors=off.server_interceptors()) as server,
        calling(server, interceptors=off.client_interceptors()) as stub,
    ):
        with off.tracer.step("forward", SAMPLED, root_traceparent(SAMPLED)):
            assert stub.call("Say", "a") == f"a:{SAMPLED}"
        assert stub.call("Say", "a") == "a:None"


def test_calls_are_measured_and_unknown_callers_counted(recorder: Recorder, caller: Recorder) -> None:
    with serving(interceptors=recorder.telemetry.server_interceptors()) as server:
        with calling(server) as stub:
            stub.call("Say", "a")
        with calling(server, token=lambda: "not.a.token") as stub, pytest.raises(RemoteError):
            stub.call("Say", "a")
    by_status = {dict(key)[names.RPC_STATUS]: value for key, value in recorder.points(names.METRIC_RPC_LATENCY).items()}
    assert by_status == {"OK": 1, "UNAUTHENTICATED": 1}
    (failures,) = recorder.points(names.METRIC_AUTHENTICATION_FAILURES).items()
    assert failures == (
        ((names.INTERFACE, "concord.echo.v1.EchoService/Say"), (names.REASON, "UNAUTHENTICATED")),
        1,
    )
