"""A gRPC server: health, reflection, limits, TLS, and the interceptors that every service has."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from libs.rpc.callers import CallerLimitInterceptor
from libs.rpc.certificates import CertificateFiles
from libs.rpc.config import ServerConfig, TransportRefused, is_loopback
from libs.rpc.deadlines import LimitInterceptor
from libs.rpc.errors import ErrorInterceptor
from libs.rpc.identity import IdentityInterceptor, TokenVerifier
from libs.rpc.interception import Behavior, Interception, WrappingInterceptor
from libs.rpc.permissions import PermissionInterceptor
from libs.rpc.resources import ScopeInterceptor

logger = logging.getLogger(__name__)

SPARE_STREAM_THREADS = 4  # so that a stream beyond the limit is refused, not queued


@dataclass(frozen=True, slots=True)
class Registration:
    """One service of a server.

    For example `Registration(LedgerServicer(…), ledger_pb2_grpc.add_LedgerServiceServicer_to_server,
    ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"])`.
    """

    servicer: Any
    add: Callable[[Any, grpc.Server], None]
    service: ServiceDescriptor
    waiting: frozenset[str] = frozenset()  # unary methods that do little but wait for a commit that many calls share


class RunningServer:
    """A server that answers. `address` is what a channel on the same machine opens."""

    def __init__(
        self,
        server: grpc.Server,
        port: int,
        address: str,
        health_servicer: health.HealthServicer,
        services: Sequence[str],
        draining: threading.Event,
        pools: Sequence[ThreadPoolExecutor],
    ) -> None:
        self.port = port
        self.address = address
        self._server = server
        self._health = health_servicer
        self._services = services
        self._draining = draining
        self._pools = pools

    def set_serving(self, serving: bool) -> None:
        """Tell health checks, for all services, whether calls make sense now (say, while migrating)."""
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", *self._services):
            self._health.set(name, state)

    def stop(self, grace_seconds: float = 10.0) -> None:
        """Answer NOT_SERVING, take no new calls, let calls in flight end within the grace, then cut them. Blocks."""
        self._draining.set()
        self._health.enter_graceful_shutdown()
        self._server.stop(grace_seconds).wait()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)


class _PoolInterceptor(WrappingInterceptor):
    """Gives some calls thread pools of their own, so that they do not starve the others. To be the outermost.

    Streams of responses, and calls that wait for a common commit: of those as many should wait as can come.
    """

    def __init__(self, streams: ThreadPoolExecutor, waiting: ThreadPoolExecutor, methods: frozenset[str]) -> None:
        self._streams = streams
        self._waiting = waiting
        self._methods = methods

    def wrap(self, method: str, behavior: Behavior, response_streaming: bool) -> Behavior:
        waits = method in self._methods
        if not waits and not response_streaming:
            return behavior

        def on_own_pool(request: Any, context: grpc.ServicerContext) -> Any:
            return behavior(request, context)

        on_own_pool.experimental_thread_pool = self._waiting if waits else self._streams  # type: ignore[attr-defined]
        return on_own_pool


def serve(
    config: ServerConfig,
    registrations: Sequence[Registration],
    verifier: TokenVerifier,
    interceptors: Sequence[WrappingInterceptor] = (),
) -> RunningServer:
    """Start a server and return it answering.

    Installed for every service, outermost first: the caller's `interceptors` (telemetry: it sees the final status),
    errors, limits, identity, limits on one caller, permissions, scopes. Raises `PermissionUndeclared`,
    `ResourceUndeclared`, `TransportRefused` or `ConfigInvalid` before anything listens, and RuntimeError if the port is
    taken.
    """
    secure = config.tls is not None
    if not secure and not config.allow_plaintext and not is_loopback(config.listen):
        raise TransportRefused("plaintext beyond loopback must be allowed explicitly, or TLS configured")
    descriptors = [registration.service for registration in registrations]
    draining = threading.Event()
    calls = ThreadPoolExecutor(config.workers, thread_name_prefix="rpc")
    streams = ThreadPoolExecutor(config.max_streams + SPARE_STREAM_THREADS, thread_name_prefix="rpc-stream")
    limited = ThreadPoolExecutor(config.workers, thread_name_prefix="rpc-limited")
    together = frozenset(
        f"/{registration.service.full_name}/{method}"
        for registration in registrations
        for method in registration.waiting
    )
    waiting = ThreadPoolExecutor(config.max_concurrent_calls, thread_name_prefix="rpc-waiting")
    limits = LimitInterceptor(
        unary_seconds=config.unary_limit_seconds,
        stream_seconds=config.stream_limit_seconds,
        max_streams=config.max_streams,
        pool=limited,
        draining=draining,
        waiting=together,
    )
    layers = [
        _PoolInterceptor(streams, waiting, together),
        *interceptors,
        ErrorInterceptor(),
        limits,
        IdentityInterceptor(verifier),
        CallerLimitInterceptor(together, config.calls_per_caller),
        PermissionInterceptor(descriptors),
        ScopeInterceptor(descriptors),
    ]
    server = grpc.server(
        calls,
        interceptors=[Interception(layers)],
        options=_options(config),
        maximum_concurrent_rpcs=config.max_concurrent_calls,
    )
    for registration in registrations:
        registration.add(registration.servicer, server)
    names = [descriptor.full_name for descriptor in descriptors]
    health_servicer = health.HealthServicer()  # its Watch holds no thread
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    if config.reflection:
        reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    port = _bind(server, config)
    host = config.listen.rpartition(":")[0]
    local = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104
    address = config.listen if config.listen.startswith("unix") else f"{local}:{port}"
    running = RunningServer(server, port, address, health_servicer, names, draining, (calls, streams, limited, waiting))
    server.start()
    running.set_serving(True)
    logger.info("serving %s on port %s, pid %s", ", ".join(names), port, os.getpid())
    return running


def _bind(server: grpc.Server, config: ServerConfig) -> int:
    if config.tls is None:
        return server.add_insecure_port(config.listen)
    files = CertificateFiles(config.tls)
    credentials = grpc.dynamic_ssl_server_credentials(
        files.configuration(),
        files.fetch,  # type: ignore[arg-type]  # the stubs forget that None means: as before
        require_client_authentication=config.tls.client_ca_file is not None,
    )
    return server.add_secure_port(config.listen, credentials)


def _options(config: ServerConfig) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", config.max_receive_bytes),
        ("grpc.max_send_message_length", config.max_send_bytes),
        ("grpc.so_reuseport", int(config.reuse_port)),
        ("grpc.keepalive_time_ms", round(config.keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", round(config.keepalive_timeout_seconds * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", round(config.min_ping_interval_seconds * 1000)),
        ("grpc.http2.max_ping_strikes", 3),
    ]
