"""A real service on a real port for these tests: its own proto, built at run time, with one RPC of each shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from concord.access.v1 import access_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, wrappers_pb2
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc

from libs.access import EVERYTHING
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ServerConfig
from libs.rpc.identity import IssuedToken, TokenKey, TokenKeys, TokenVerifier
from libs.rpc.interception import WrappingInterceptor
from libs.rpc.server import Registration, RunningServer, serve
from libs.telemetry.context import outgoing_headers

SECRET = "a-secret-of-the-tests-that-is-long-enough"
KEYS = TokenKeys([TokenKey.secret("k1", SECRET)])
Text = wrappers_pb2.StringValue
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

SHAPES = {"Say": (False, False), "List": (False, True), "Gather": (True, False), "Chat": (True, True)}


ANY_TEXT = access_pb2.ResourceRule(filtered="an echo belongs to nobody")


def echo_service(
    name: str, permissions: dict[str, str], rule: access_pb2.ResourceRule | None = ANY_TEXT
) -> ServiceDescriptor:
    """A service `concord.echo.v1.{name}` whose RPCs name these permissions (none where absent) and what they touch."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"tests/rpc/{name}.proto",
        package="concord.echo.v1",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto", "concord/access/v1/access.proto"],
    )
    service = file.service.add(name=name)
    for method, (client_streaming, server_streaming) in SHAPES.items():
        added = service.method.add(
            name=method,
            input_type=".google.protobuf.StringValue",
            output_type=".google.protobuf.StringValue",
            client_streaming=client_streaming,
            server_streaming=server_streaming,
        )
        if method in permissions:
            added.options.Extensions[access_pb2.permission] = permissions[method]
        if rule is not None:
            added.options.Extensions[access_pb2.resource].CopyFrom(rule)
    pool = descriptor_pool.Default()
    try:
        return pool.FindServiceByName(f"concord.echo.v1.{name}")
    except KeyError:
        pool.Add(file)
        return pool.FindServiceByName(f"concord.echo.v1.{name}")


ECHO = echo_service("EchoService", dict.fromkeys(SHAPES, "ledger.postings.read"))


class Echo:
    """Answers by `answer(text, context)`, whatever the shape of the call."""

    def __init__(self, answer: Callable[[str, grpc.ServicerContext], str] = lambda text, context: text) -> None:
        self.answer = answer

    def say(self, request: Any, context: grpc.ServicerContext) -> Any:
        return Text(value=self.answer(request.value, context))

    def list(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for part in request.value.split():
            yield Text(value=self.answer(part, context))

    def gather(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
        return Text(value=" ".join(self.answer(request.value, context) for request in requests))

    def chat(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for request in requests:
            yield Text(value=self.answer(request.value, context))


def add_echo(service: ServiceDescriptor) -> Callable[[Echo, grpc.Server], None]:
    def add(echo: Echo, server: grpc.Server) -> None:
        serialization: Any = {
            "request_deserializer": Text.FromString,
            "response_serializer": Text.SerializeToString,
        }
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    service.full_name,
                    {
                        "Say": grpc.unary_unary_rpc_method_handler(echo.say, **serialization),
                        "List": grpc.unary_stream_rpc_method_handler(echo.list, **serialization),
                        "Gather": grpc.stream_unary_rpc_method_handler(echo.gather, **serialization),
                        "Chat": grpc.stream_stream_rpc_method_handler(echo.chat, **serialization),
                    },
                ),
            )
        )

    return add


class EchoStub:
    def __init__(self, channel: grpc.Channel, service: ServiceDescriptor = ECHO) -> None:
        serialization: Any = {
            "request_serializer": Text.SerializeToString,
            "response_deserializer": Text.FromString,
        }
        path = f"/{service.full_name}/"
        self.say: Any = channel.unary_unary(path + "Say", **serialization)
        self.list: Any = channel.unary_stream(path + "List", **serialization)
        self.gather: Any = channel.stream_unary(path + "Gather", **serialization)
        self.chat: Any = channel.stream_stream(path + "Chat", **serialization)

    def call(self, shape: str, text: str, **options: Any) -> str:
        """The answer to `text` by any of the four shapes, words joined by spaces."""
        words = [Text(value=word) for word in text.split()]
        match shape:
            case "Say":
                return str(self.say(Text(value=text), **options).value)
            case "List":
                return " ".join(part.value for part in self.list(Text(value=text), **options))
            case "Gather":
                return str(self.gather(iter(words), **options).value)
            case _:
                return " ".join(part.value for part in self.chat(iter(words), **options))


@contextmanager
def serving(
    echo: Echo | None = None,
    config: ServerConfig | None = None,
    service: ServiceDescriptor = ECHO,
    verifier: TokenVerifier | None = None,
    interceptors: tuple[WrappingInterceptor, ...] = (),
    waiting: frozenset[str] = frozenset(),
) -> Iterator[RunningServer]:
    """A server of one echo service on a free port, stopped in the end."""
    registration = Registration(echo or Echo(), add_echo(service), service, waiting)
    server = serve(config or ServerConfig(), [registration], verifier or TokenVerifier(KEYS), interceptors)
    try:
        yield server
    finally:
        server.stop(0)


@contextmanager
def calling(
    server: RunningServer | str,
    config: ChannelConfig | None = None,
    *,
    roles: tuple[str, ...] = ("viewer",),
    service: ServiceDescriptor = ECHO,
    token: Callable[[], str] | None = None,
    **options: Any,
) -> Iterator[EchoStub]:
    """A stub on a channel of ours, with a token of these roles."""
    target = server if isinstance(server, str) else server.address
    token = token or IssuedToken(KEYS, "tests", roles, EVERYTHING)
    options.setdefault("metadata", (outgoing_headers,))
    channel = open_channel(target, config or ChannelConfig(retry=None), token, **options)
    with channel:
        yield EchoStub(channel, service)


def health_of(channel: grpc.Channel, service: str) -> Any:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=60).status
