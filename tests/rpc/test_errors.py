from __future__ import annotations

import logging
from typing import ClassVar

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from libs.errors import ConcordError, Kind
from libs.rpc.errors import STATUS, RemoteError
from libs.rpc.identity import issue_token
from tests.rpc.echo import KEYS, SHAPES, Echo, EchoStub, Text, calling, serving


def error_class(kind_: Kind) -> type[ConcordError]:
    class Failure(ConcordError):
        kind: ClassVar[Kind] = kind_
        reason = f"FAILED_{kind_.name}"

    return Failure


def raising(error: Exception) -> Echo:
    def answer(text: str, context: grpc.ServicerContext) -> str:
        raise error

    return Echo(answer)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", Kind)
def test_an_error_comes_back_as_itself_whatever_the_shape_of_the_call(shape: str, kind: Kind) -> None:
    error = error_class(kind)("no such thing", field="event.name", metadata={"name": "events/1"})
    with serving(raising(error)) as server, calling(server) as stub, pytest.raises(RemoteError) as caught:
        stub.call(shape, "a b")
    assert str(caught.value) == "no such thing"
    assert (caught.value.kind, caught.value.reason) == (kind, f"FAILED_{kind.name}")
    assert (caught.value.field, caught.value.metadata) == ("event.name", {"name": "events/1"})
    assert caught.value.code == STATUS[kind]


def test_every_kind_has_a_status_of_its_own() -> None:
    assert set(STATUS) == set(Kind)
    assert len(set(STATUS.values())) == len(Kind)


def test_a_stranger_reads_the_details_with_googles_own_messages() -> None:
    error = error_class(Kind.RETRY)("later", field="page_size")
    with serving(raising(error)) as server, grpc.insecure_channel(server.address) as channel:
        token = [("authorization", "Bearer " + _token())]
        with pytest.raises(grpc.RpcError) as caught:
            EchoStub(channel).say(Text(value="x"), metadata=token)
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    assert status is not None
    info, violations, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(violations)
    assert status.details[2].Unpack(retry)
    assert (info.domain, info.reason) == ("concord", "FAILED_RETRY")
    assert violations.field_violations[0].field == "page_size"
    assert retry.retry_delay.ToMilliseconds() == 1000


def _token() -> str:
    return issue_token(KEYS, "stranger", ["viewer"])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bug_is_logged_once_without_its_text_and_told_to_nobody(shape: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    echo = raising(ValueError("IBAN DE02 of Mrs. X"))
    with serving(echo) as server, calling(server) as stub, pytest.raises(RemoteError) as caught:
        stub.call(shape, "a")
    assert (caught.value.code, str(caught.value)) == (grpc.StatusCode.INTERNAL, "internal error")
    assert caught.value.reason == "INTERNAL"
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "ValueError" in errors[0].getMessage()
    assert "in answer" in errors[0].getMessage()
    assert "Mrs. X" not in caplog.text


def test_a_servicers_own_abort_is_left_as_it_is() -> None:
    def answer(text: str, context: grpc.ServicerContext) -> str:
        context.abort(grpc.StatusCode.DATA_LOSS, "said so")

    with serving(Echo(answer)) as server, calling(server) as stub, pytest.raises(RemoteError) as caught:
        stub.call("Say", "a")
    assert str(caught.value) == "said so"
    assert caught.value.code == grpc.StatusCode.DATA_LOSS


def test_details_that_are_too_long_are_cut_so_that_the_status_still_arrives() -> None:
    error = error_class(Kind.INVALID)("x" * 100_000, metadata={f"k{n}": "v" * 10_000 for n in range(100)})
    with serving(raising(error)) as server, calling(server) as stub, pytest.raises(RemoteError) as caught:
        stub.call("Say", "a")
    assert caught.value.reason == "FAILED_INVALID"
    assert len(str(caught.value)) == 1000


def test_a_server_that_is_away_is_a_retry() -> None:
    with calling("127.0.0.1:1") as stub, pytest.raises(RemoteError) as caught:
        stub.call("Say", "a", timeout=2)
    assert (caught.value.kind, caught.value.reason) == (Kind.RETRY, "SERVICE_UNAVAILABLE")


def test_a_future_raises_our_error_when_it_is_asked() -> None:
    with serving(raising(error_class(Kind.MISSING)("gone"))) as server, calling(server) as stub:
        future = stub.say.future(Text(value="a"))
        with pytest.raises(RemoteError, match="gone"):
            future.result(timeout=60)
