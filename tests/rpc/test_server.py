from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from concord.ledger.v1 import ledger_pb2
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from libs.errors import Kind
from libs.rpc.config import ChannelConfig, ServerConfig, ServerTls, TransportRefused, is_loopback
from libs.rpc.deadlines import seconds_left, stream_may_go_on
from libs.rpc.errors import RemoteError
from libs.rpc.identity import IssuedToken
from libs.rpc.interception import Behavior, WrappingInterceptor
from libs.rpc.server import RunningServer
from tests.rpc.echo import KEYS, NOT_SERVING, SERVING, Echo, EchoStub, Text, calling, health_of, serving


class Gate:
    """An answer that waits until it may go on."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Semaphore(0), threading.Event()

    def __call__(self, text: str, context: grpc.ServicerContext) -> str:
        self.entered.release()
        self.open.wait(60)
        return text


def test_health_says_serving_for_the_server_and_each_service() -> None:
    with serving() as server, grpc.insecure_channel(server.address) as channel:
        assert health_of(channel, "") == health_of(channel, "concord.echo.v1.EchoService") == SERVING
        server.set_serving(False)
        assert health_of(channel, "concord.echo.v1.EchoService") == NOT_SERVING
        with pytest.raises(grpc.RpcError):
            health_of(channel, "concord.nothing.v1.NothingService")


class Noting(WrappingInterceptor):
    """Notes each method that it is put around, and each call."""

    def __init__(self) -> None:
        self.wrapped: list[str] = []
        self.called: list[str] = []

    def wrap(self, method: str, behavior: Behavior, response_streaming: bool) -> Behavior:
        self.wrapped.append(method)

        def noted(request: Any, context: grpc.ServicerContext) -> Any:
            self.called.append(method)
            return behavior(request, context)

        return noted


def test_an_interceptor_is_put_around_a_method_once_and_runs_at_each_of_its_calls() -> None:
    noting = Noting()
    with serving(interceptors=(noting,)) as server, calling(server) as stub:
        for shape in ("Say", "List", "Say", "Say", "List"):
            assert stub.call(shape, "a b") == "a b"
    say, listing = "/concord.echo.v1.EchoService/Say", "/concord.echo.v1.EchoService/List"
    assert noting.wrapped == [say, listing]
    assert noting.called == [say, listing, say, say, listing]


class Finished(Echo):
    """Answers with messages that are serialized already."""

    def say(self, request: Any, context: grpc.ServicerContext) -> Any:
        return super().say(request, context).SerializeToString()

    def list(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        return (message.SerializeToString() for message in super().list(request, context))


@pytest.mark.parametrize("shape", ["Say", "List"])
def test_a_response_that_is_serialized_already_goes_out_as_it_is(shape: str) -> None:
    with serving(Finished()) as server, calling(server) as stub:
        assert stub.call(shape, "a b") == "a b"
        assert stub.call(shape, "") == ""


def test_reflection_names_the_services_and_gives_their_protos() -> None:
    with serving() as server, grpc.insecure_channel(server.address) as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        ask = reflection_pb2.ServerReflectionRequest
        listing, file = stub.ServerReflectionInfo(
            iter([ask(list_services=""), ask(file_containing_symbol="concord.echo.v1.EchoService")]), timeout=60
        )
    names = {service.name for service in listing.list_services_response.service}
    assert {"concord.echo.v1.EchoService", "grpc.health.v1.Health"} <= names
    proto = descriptor_pb2.FileDescriptorProto.FromString(file.file_descriptor_response.file_descriptor_proto[0])
    assert [method.name for method in proto.service[0].method] == ["Say", "List", "Gather", "Chat"]


def test_stopping_says_not_serving_refuses_new_calls_and_lets_calls_in_flight_end() -> None:
    gate = Gate()
    with serving(Echo(gate)) as server, calling(server) as stub, grpc.insecure_channel(server.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        watched: Iterator[Any] = health.Watch(health_pb2.HealthCheckRequest(), timeout=10)
        assert next(watched).status == SERVING
        in_flight = stub.say.future(Text(value="in flight"))
        assert gate.entered.acquire(timeout=60)
        stopping = threading.Thread(target=server.stop, args=(10,))
        stopping.start()
        assert next(watched).status == NOT_SERVING
        with calling(server) as late, pytest.raises(RemoteError) as caught:
            late.call("Say", "late", timeout=2)
        assert caught.value.kind is Kind.RETRY
        assert stopping.is_alive()
        gate.open.set()
        assert in_flight.result(timeout=60).value == "in flight"
        watched.cancel()  # type: ignore[attr-defined]
        stopping.join(60)
        assert not stopping.is_alive()


def test_what_outlasts_the_grace_is_cut() -> None:
    gate = Gate()
    with serving(Echo(gate)) as server, calling(server) as stub:
        in_flight = stub.say.future(Text(value="a"))
        assert gate.entered.acquire(timeout=60)
        server.stop(0.2)
        with pytest.raises(RemoteError):
            in_flight.result(timeout=60)
        gate.open.set()


def test_an_open_stream_ends_when_the_server_drains_and_may_be_resumed() -> None:
    first_given = threading.Event()

    class Watch(Echo):
        def list(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            yield Text(value="first")
            first_given.set()
            while stream_may_go_on(context):
                time.sleep(0.005)
            yield Text(value="last")

    with serving(Watch()) as server, calling(server) as stub:
        stream = stub.list(Text())
        assert next(stream).value == "first"
        assert first_given.wait(60)
        stopping = threading.Thread(target=server.stop, args=(10,))
        stopping.start()
        assert next(stream).value == "last"
        with pytest.raises(RemoteError) as caught:
            next(stream)
        stopping.join(60)
        assert not stopping.is_alive()
    assert (caught.value.kind, caught.value.reason) == (Kind.RETRY, "SERVER_DRAINING")


def test_a_message_beyond_the_limit_is_refused_and_the_server_goes_on() -> None:
    with serving(config=ServerConfig(max_receive_bytes=1000)) as server, calling(server) as stub:
        with pytest.raises(RemoteError) as caught:
            stub.call("Say", "x" * 2000)
        assert (caught.value.kind, caught.value.code) == (Kind.EXHAUSTED, grpc.StatusCode.RESOURCE_EXHAUSTED)
        assert stub.call("Say", "small") == "small"


def test_calls_beyond_the_limit_are_refused_at_once() -> None:
    gate = Gate()
    config = ServerConfig(max_concurrent_calls=2, workers=2)
    with serving(Echo(gate), config) as server, calling(server) as stub:
        waiting = [stub.say.future(Text(value="a")) for _ in range(2)]
        assert gate.entered.acquire(timeout=60)
        assert gate.entered.acquire(timeout=60)
        with pytest.raises(RemoteError) as caught:
            stub.call("Say", "one too many", timeout=60)
        assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        gate.open.set()
        assert [call.result(timeout=60).value for call in waiting] == ["a", "a"]


def test_streams_beyond_their_limit_are_refused_and_do_not_starve_short_calls() -> None:
    gate = Gate()

    class Watch(Echo):
        def list(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            yield Text(value=gate("first", context))

    with serving(Watch(), ServerConfig(workers=1, max_streams=3)) as server, calling(server) as stub:
        streams = [stub.list(Text()) for _ in range(3)]
        for _ in streams:
            assert gate.entered.acquire(timeout=60)
        assert stub.call("Say", "short", timeout=60) == "short"
        with pytest.raises(RemoteError) as caught:
            stub.call("List", "a", timeout=60)
        assert caught.value.reason == "TOO_MANY_STREAMS"
        gate.open.set()
        assert [next(stream).value for stream in streams] == ["first"] * 3
        for stream in streams:
            assert list(stream) == []
        assert stub.call("List", "a") == "first"


@pytest.mark.parametrize("own_deadline", [None, 60.0])
def test_a_caller_that_sets_no_deadline_or_too_long_a_one_gets_the_servers(own_deadline: float | None) -> None:
    gate = Gate()
    token = IssuedToken(KEYS, "stranger", ["viewer"])()
    with (
        serving(Echo(gate), ServerConfig(unary_limit_seconds=0.1)) as server,
        grpc.insecure_channel(server.address) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        EchoStub(channel).say(Text(value="a"), timeout=own_deadline, metadata=[("authorization", f"Bearer {token}")])
    gate.open.set()
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "DEADLINE_EXCEEDED" in str(caught.value.trailing_metadata())


def test_a_handlers_own_timeout_is_a_bug_like_any_other() -> None:
    def answer(text: str, context: grpc.ServicerContext) -> str:
        raise TimeoutError("somewhere below")

    with serving(Echo(answer)) as server, grpc.insecure_channel(server.address) as channel:
        token = IssuedToken(KEYS, "stranger", ["viewer"])()
        with pytest.raises(grpc.RpcError) as caught:
            EchoStub(channel).say(Text(value="a"), metadata=[("authorization", f"Bearer {token}")])
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.INTERNAL


def test_a_stream_is_not_open_for_ever() -> None:
    config = ServerConfig(stream_limit_seconds=0.05)

    def slow(text: str, context: grpc.ServicerContext) -> str:
        time.sleep(0.02)
        return text

    with serving(Echo(slow), config) as server, calling(server) as stub, pytest.raises(RemoteError) as caught:
        stub.call("List", "a " * 1000)
    assert caught.value.reason == "DEADLINE_EXCEEDED"


def test_a_call_passes_what_is_left_of_its_time_on_to_the_calls_it_makes() -> None:
    left: list[float | None] = []

    def inner(text: str, context: grpc.ServicerContext) -> str:
        left.append(context.time_remaining())
        return text

    with serving(Echo(inner)) as behind, calling(behind) as onward:

        def outer(text: str, context: grpc.ServicerContext) -> str:
            left.append(seconds_left())
            return onward.call("Say", text)

        with serving(Echo(outer)) as front, calling(front) as stub:
            assert stub.call("Say", "a", timeout=60) == "a"
    assert seconds_left() is None
    outer_left, inner_left = left
    assert outer_left is not None
    assert inner_left is not None
    assert inner_left <= outer_left + 0.05 <= 60.05


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "10.0.0.1:0", "example.com:0"])
def test_plaintext_beyond_loopback_is_refused_unless_it_is_allowed(listen: str) -> None:
    with pytest.raises(TransportRefused), serving(config=ServerConfig(listen=listen)):
        pass


def test_plaintext_beyond_loopback_works_where_it_is_allowed() -> None:
    config = ServerConfig(listen="0.0.0.0:0", allow_plaintext=True)
    with serving(config=config) as server, calling(server) as stub:
        assert stub.call("Say", "a") == "a"


def test_a_channel_does_not_send_its_token_in_plaintext_beyond_loopback() -> None:
    with pytest.raises(TransportRefused), calling("ledger.example:50051"):
        pass


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.8.8.8:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("dns:///localhost:1", True),
        ("ipv4:127.0.0.1:1,127.0.0.1:2", True),
        ("ipv4:127.0.0.1:1,10.0.0.1:2", False),
        ("unix:/run/ledger.sock", True),
        ("ledger:50051", False),
        ("localhost.example.com:1", False),
        ("0.0.0.0:1", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_the_network(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RuntimeError), serving(config=ServerConfig(listen=listen)):
            pass


def test_two_servers_of_ours_do_not_share_a_port_unknowingly() -> None:
    with serving() as first, pytest.raises(RuntimeError), serving(config=ServerConfig(listen=first.address)):
        pass


def test_configuration_is_read_own_first_then_common() -> None:
    env = {
        "CONCORD_LEDGER_LISTEN": "127.0.0.1:50051",
        "CONCORD_LISTEN": "127.0.0.1:1",
        "CONCORD_TLS_CERTIFICATE": "/c",
        "CONCORD_TLS_PRIVATE_KEY": "/k",
        "CONCORD_LEDGER_TLS_PRIVATE_KEY": "/own",
        "CONCORD_TLS_CLIENT_CA": "",
        "CONCORD_TLS_ROOT_CA": "/ca",
        "CONCORD_RPC_WORKERS": "3",
        "CONCORD_ALLOW_PLAINTEXT": "1",
    }
    config = ServerConfig.from_env(env, "ledger")
    assert (config.listen, config.tls) == ("127.0.0.1:50051", ServerTls("/c", "/own", None))
    assert (config.workers, config.allow_plaintext) == (3, True)
    assert ServerConfig.from_env({}, "recon", "127.0.0.1:7").listen == "127.0.0.1:7"
    channel = ChannelConfig.from_env(env, "ledger")
    assert channel.tls is not None
    assert channel.tls.root_ca_file == "/ca"
    assert ChannelConfig.from_env({}, "ledger").tls is None


def test_a_running_server_is_what_a_process_runs() -> None:
    with serving() as server:
        assert isinstance(server, RunningServer)
        assert server.address == f"127.0.0.1:{server.port}"
        assert server.port > 0
    assert ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"].full_name == "concord.ledger.v1.LedgerService"


def test_one_caller_holds_only_a_part_of_the_calls_that_wait_for_a_commit() -> None:
    gate = Gate()
    config = ServerConfig(workers=1, calls_per_caller=3)
    ours, theirs = (IssuedToken(KEYS, subject, ("viewer",)) for subject in ("ours", "theirs"))
    with (
        serving(Echo(gate), config, waiting=frozenset({"Say"})) as server,
        calling(server, token=ours) as stub,
        calling(server, token=theirs) as other,
    ):
        held = [stub.say.future(Text(value="held"), timeout=10) for _ in range(3)]
        for _ in held:
            assert gate.entered.acquire(timeout=60)
        with pytest.raises(RemoteError) as refused:
            stub.call("Say", "one more", timeout=10)
        assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
        another = other.say.future(Text(value="another caller"), timeout=10)
        assert gate.entered.acquire(timeout=60)
        gate.open.set()
        assert [call.result().value for call in (*held, another)] == ["held"] * 3 + ["another caller"]
        assert stub.call("Say", "again", timeout=10) == "again"
