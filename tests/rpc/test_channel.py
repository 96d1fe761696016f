from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import grpc
import grpc_testing
import pytest

from libs.errors import ConcordError, Kind
from libs.rpc.channel import service_config
from libs.rpc.config import CallRetries, ChannelConfig, ConfigInvalid, ServerConfig
from libs.rpc.errors import RemoteError
from libs.rpc.identity import current_identity, issue_token
from libs.rpc.server import RunningServer
from tests.rpc.echo import ECHO, KEYS, SHAPES, Echo, EchoStub, Text, calling, serving


class Busy(ConcordError):
    kind = Kind.RETRY
    reason = "BUSY"


class Stale(ConcordError):
    kind = Kind.STALE
    reason = "ETAG_STALE"


QUICK = CallRetries(initial_backoff_seconds=0.01, max_backoff_seconds=0.02)


def retrying(server: RunningServer) -> AbstractContextManager[EchoStub]:
    return calling(server, ChannelConfig(retry=QUICK))


class Failing:
    """Fails the first calls."""

    def __init__(self, failures: int, error: ConcordError) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error

    def __call__(self, text: str, context: grpc.ServicerContext) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return text


def test_a_server_that_is_busy_for_a_moment_is_called_again() -> None:
    failing = Failing(2, Busy("later"))
    with serving(Echo(failing)) as server, retrying(server) as stub:
        # RetryInfo asks for a second; a pushback by gRPC's own header it is not, so our backoff holds.
        assert stub.call("Say", "a") == "a"
    assert failing.calls == 3


def test_attempts_are_bounded() -> None:
    failing = Failing(100, Busy("later"))
    with serving(Echo(failing)) as server, retrying(server) as stub, pytest.raises(RemoteError) as caught:
        stub.call("Say", "a")
    assert (caught.value.reason, failing.calls) == ("BUSY", 4)


def test_only_unavailable_is_tried_again() -> None:
    failing = Failing(1, Stale("read again"))
    with serving(Echo(failing)) as server, retrying(server) as stub, pytest.raises(RemoteError) as caught:
        stub.call("Say", "a")
    assert (caught.value.kind, failing.calls) == (Kind.STALE, 1)


def test_a_budget_keeps_retries_from_hitting_a_server_that_is_down() -> None:
    failing = Failing(10_000, Busy("later"))
    policy = CallRetries(
        max_attempts=5, initial_backoff_seconds=0.01, max_backoff_seconds=0.01, budget_tokens=10, budget_ratio=0.1
    )
    with serving(Echo(failing)) as server, calling(server, ChannelConfig(retry=policy)) as stub:
        for _ in range(20):
            with pytest.raises(RemoteError):
                stub.call("Say", "a")
    assert failing.calls < 20 + 10, "without a budget there would be 100 calls"


@pytest.mark.parametrize(
    "policy",
    [
        {"initial_backoff_seconds": 0.001},
        {"initial_backoff_seconds": 1.0, "max_backoff_seconds": 0.5},
        {"max_attempts": 1},
        {"max_attempts": 6},
    ],
)
def test_a_retry_policy_that_grpc_does_not_keep_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(ConfigInvalid):
        CallRetries(**policy)


def test_the_service_config_spreads_calls_and_retries_only_unavailable() -> None:
    config = json.loads(service_config(CallRetries()))
    assert config["loadBalancingConfig"] == [{"round_robin": {}}]
    assert config["methodConfig"][0]["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert "methodConfig" not in json.loads(service_config(None))


def test_calls_go_round_all_addresses() -> None:
    seen: list[int] = []

    def answering(number: int) -> Echo:
        def answer(text: str, context: grpc.ServicerContext) -> str:
            seen.append(number)
            return text

        return Echo(answer)

    with serving(answering(1)) as first, serving(answering(2)) as second:
        target = f"ipv4:{first.address},{second.address}"
        with calling(target, ChannelConfig()) as stub:
            for _ in range(50):
                stub.call("Say", "a")
    assert set(seen) == {1, 2}


@pytest.mark.parametrize("shape", ["Say", "Gather"])
def test_a_call_without_a_deadline_gets_the_channels(shape: str) -> None:
    remaining: list[float | None] = []

    def answer(text: str, context: grpc.ServicerContext) -> str:
        remaining.append(context.time_remaining())
        return text

    with serving(Echo(answer)) as server, calling(server, ChannelConfig(deadline_seconds=7)) as stub:
        stub.call(shape, "a")
        stub.call(shape, "a", timeout=3)
    assert [round(seconds or 0) for seconds in remaining] == [7, 3]


def test_a_server_that_answers_too_late_is_a_retry() -> None:
    release = threading.Event()

    def answer(text: str, context: grpc.ServicerContext) -> str:
        release.wait(60)
        return text

    with serving(Echo(answer)) as server, calling(server) as stub:
        with pytest.raises(RemoteError) as caught:
            stub.call("Say", "a", timeout=0.05)
        release.set()
    assert (caught.value.kind, caught.value.reason) == (Kind.RETRY, "DEADLINE_EXCEEDED")
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("shape", ["List", "Chat"])
def test_a_stream_gives_what_came_before_the_error(shape: str) -> None:
    failing = itertools.count(1)

    def answer(text: str, context: grpc.ServicerContext) -> str:
        if next(failing) == 3:
            raise Stale("read again")
        return text

    with serving(Echo(answer)) as server, calling(server) as stub:
        words = "a b c d"
        method: Any = stub.list if shape == "List" else stub.chat
        stream = method(Text(value=words) if shape == "List" else iter([Text(value=word) for word in words.split()]))
        assert [next(stream).value, next(stream).value] == ["a", "b"]
        with pytest.raises(RemoteError, match="read again"):
            next(stream)


def test_a_stream_can_be_cancelled_and_the_server_notices() -> None:
    left = threading.Event()

    class Watch(Echo):
        def list(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            context.add_callback(left.set)
            yield Text(value="first")
            while context.is_active():
                time.sleep(0.005)

    with serving(Watch()) as server, calling(server) as stub:
        stream = stub.list(Text())
        assert next(stream).value == "first"
        stream.cancel()
        assert left.wait(60)


def test_a_restarted_server_is_found_again() -> None:
    with serving() as server:
        listen = server.address
    with calling(listen, ChannelConfig()) as stub:
        with pytest.raises(RemoteError):
            stub.call("Say", "a", timeout=1)
        with serving(config=ServerConfig(listen=listen)):
            assert stub.call("Say", "a", wait_for_ready=True, timeout=10) == "a"


def test_the_token_is_asked_for_at_each_call() -> None:
    names = iter(["ann", "bob"])
    echo = Echo(lambda text, context: current_identity().subject)
    with serving(echo) as server, calling(server, token=lambda: issue_token(KEYS, next(names), ["viewer"])) as stub:
        assert [stub.call("Say", "x"), stub.call("Say", "x")] == ["ann", "bob"]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_call_answers(shape: str) -> None:
    with serving() as server, calling(server) as stub:
        assert stub.call(shape, "a b") == "a b"


def test_a_synchronous_servicer_runs_under_grpcs_own_test_server() -> None:
    echo = Echo(lambda text, context: f"{text} until {context.time_remaining():.0f} s")

    class ByMethodName:
        """grpcio-testing looks the methods up by their names in the proto."""

        Say = staticmethod(echo.say)

    server = grpc_testing.server_from_dictionary({ECHO: ByMethodName()}, grpc_testing.strict_real_time())
    call = server.invoke_unary_unary(ECHO.methods_by_name["Say"], (), Text(value="hello"), 5)
    response, _, code, _ = call.termination()
    assert (response.value, code) == ("hello until 5 s", grpc.StatusCode.OK)
