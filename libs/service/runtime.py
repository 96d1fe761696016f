"""What the process of every service stands on. Each `main.py` builds its own service on a `Runtime`."""

from __future__ import annotations

import gc
import os
import random
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Protocol, TypeVar

import grpc

from libs.access import AccessScope
from libs.events import TransactionIds
from libs.rpc.channel import open_channel
from libs.rpc.identity import IssuedToken, TokenVerifier
from libs.rpc.server import Registration, RunningServer, serve
from libs.storage.engine import ensure_reachable, open_engine
from libs.storage.migrate import upgrade
from libs.storage.outbox import Relay
from libs.storage.tables import SystemTables
from libs.storage.uow import UnitOfWork
from libs.telemetry.context import outgoing_headers
from libs.telemetry.logs import configure_logging
from libs.telemetry.metrics import Metrics, QueueReading, Scope
from libs.telemetry.odoo import TracedOdoo
from libs.telemetry.setup import configure
from libs.trail import QueueLength

from .config import RuntimeConfig
from .odoo import LazyOdoo, OdooConfig
from .process import Server, ServiceProcess, WorkerLoop
from .readiness import health_loop
from .wakes import RunOnce, Wakes
from .work import WorkContext

POLL_SECONDS = 1.0


class Closable(Protocol):
    """Holds something that must be given back."""

    def close(self) -> object: ...


Held = TypeVar("Held", bound=Closable)


class Runtime:
    """Telemetry, the migrated database, keys, channels, wakes. What is opened last is closed first."""

    def __init__(self, config: RuntimeConfig) -> None:
        """Raises a `ConcordError` where the configuration cannot be used."""
        self._config = config
        self.telemetry = configure(config.telemetry)
        self.engine = open_engine(config.database_url, config.name)
        upgrade(self.engine, f"services.{config.name}")
        self._closing: list[Callable[[], object]] = [self.engine.dispose, self.telemetry.shutdown]
        self.verifier = TokenVerifier(config.token_keys)
        self.wake = Wakes()
        self.work = WorkContext(
            clock=utc_now,
            # Seeded by the system once: asking it for every id would let go of the interpreter each time. No secret.
            ids=TransactionIds(utc_now, random.Random()),  # noqa: S311
            rng=random.SystemRandom(),
            tracing=self.telemetry.tracer,
            owner=f"{config.name}-{socket.gethostname()}-{os.getpid()}",
            observer=WorkMetrics(self.telemetry.metrics),
        )

    def closing(self, held: Held) -> Held:
        """The same, closed before all that was opened earlier."""
        self._closing.append(held.close)
        return held

    def channel(self, address: str, scope: AccessScope) -> grpc.Channel:
        """To another service, with the trace and a token of our own: the role that is named after us, and the scope."""
        config = self._config
        token = IssuedToken(config.token_keys, config.name, (config.name,), scope)
        interceptors = self.telemetry.client_interceptors()
        return self.closing(
            open_channel(address, config.calls, token, metadata=(outgoing_headers,), interceptors=interceptors)
        )

    def odoo(self, config: OdooConfig) -> TracedOdoo:
        """Odoo, connected when it is first called, traced and timed."""
        return TracedOdoo(self.closing(LazyOdoo(config)), self.telemetry.tracer, self.telemetry.metrics)

    def serve(self, registration: Registration) -> RunningServer:
        """The gRPC server, answering."""
        return serve(self._config.rpc, [registration], self.verifier, self.telemetry.server_interceptors())

    def relay(self, new_uow: Callable[[], UnitOfWork], tables: SystemTables) -> dict[str, RunOnce]:
        """The worker that publishes the outbox, by its name; none where no address is configured."""
        if not self._config.nats_url:
            return {}
        # Late: NATS' client is a twentieth of a start, and most installations have no broker.
        from libs.storage.nats import NatsPublisher

        publisher = self.closing(NatsPublisher(self._config.nats_url))
        return {"relay": Relay(new_uow, tables, publisher, self.work).run_once}

    def watch_queues(self, read: Callable[[], Iterable[QueueLength]]) -> None:
        """Show what waits; `read` is called for each scrape."""

        def readings() -> list[QueueReading]:
            return [
                QueueReading(queue.queue, queue.depth, queue.oldest_seconds, Scope.on(queue.company, queue.interface))
                for queue in read()
            ]

        self.telemetry.metrics.watch_queues(readings)

    def process(
        self,
        rpc: RunningServer,
        workers: Mapping[str, RunOnce],
        *,
        http: Server | None = None,
        poll_seconds: Mapping[str, float],
        followers: Mapping[str, Sequence[str]],
        pace_seconds: Mapping[str, float] = MappingProxyType({}),
    ) -> ServiceProcess:
        """The whole service. `poll_seconds` says how often a worker looks that nobody wakes (else every second),
        `followers` who has work once a worker has done some, `pace_seconds` how far apart small rounds begin.
        """
        failure = self.telemetry.metrics.worker_failure

        def failed(worker: str) -> Callable[[str], None]:
            return lambda reason: failure(worker, reason)

        loops = [
            WorkerLoop(
                name,
                self.wake.after(run_once, followers.get(name, ())),
                self.wake.of(name),
                poll_seconds.get(name, POLL_SECONDS),
                on_error=failed(name),
                pace_seconds=pace_seconds.get(name, 0.0),
            )
            for name, run_once in workers.items()
        ]
        loops.append(health_loop(rpc, lambda: ensure_reachable(self.engine)))
        servers: dict[str, Server] = {"http": http, "grpc": rpc} if http else {"grpc": rpc}
        return ServiceProcess(self._config.name, servers, loops, closing=self._closing[::-1])


class WorkMetrics:
    """The `WorkObserver` of a process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def retried(self, company: str, interface: str, reason: str) -> None:
        self._metrics.retry(Scope.on(company, interface), reason)

    def set_aside(self, company: str, interface: str, reason: str) -> None:
        self._metrics.exception(Scope.on(company, interface), reason)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def run(name: str, build: Callable[[Mapping[str, str]], ServiceProcess], env: Mapping[str, str]) -> int:
    """Build the service and run it until it is told to stop; the process's exit status.

    `main` turned garbage collection off before it imported anything: what a start makes stays, and to walk it again
    and again is a tenth of a start.
    """
    configure_logging(name)
    process = build(env)
    gc.freeze()  # no later collection need walk it either
    gc.enable()
    return process.run(ports_file=env.get(f"CONCORD_{name.upper()}_PORTS_FILE"))
