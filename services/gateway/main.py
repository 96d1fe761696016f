"""Starts the gateway: the partners' HTTP face, the gRPC administration, and the workers. Read this first."""

from __future__ import annotations

import logging
import os
import random
import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import grpc
from concord.gateway.v1 import gateway_pb2, gateway_pb2_grpc

from libs.errors import ConcordError
from libs.events import TransactionIds
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ConfigInvalid
from libs.rpc.identity import IssuedToken, TokenKeys, TokenVerifier
from libs.rpc.server import Registration, serve
from libs.service.process import ServiceProcess, WorkerLoop
from libs.service.readiness import health_loop
from libs.storage.engine import ensure_reachable, open_engine, reading
from libs.storage.group_commit import GroupCommitWriter
from libs.storage.migrate import upgrade
from libs.telemetry.context import outgoing_headers
from libs.telemetry.logs import configure_logging
from libs.telemetry.metrics import QueueReading, Scope
from libs.telemetry.setup import Telemetry, TelemetryConfig, configure
from providers.base import Source

from .accounts import ConfiguredAccounts
from .adapters.ledger import LedgerClient
from .adapters.provider_api import HttpApi
from .adapters.recon import ReconClient
from .assembly import Gateway, World, assemble, receiver
from .config import GatewayConfig
from .domain.delivery import Receipt
from .handlers.ports import Accounts, NewDelivery
from .handlers.receive import keep_refused
from .http.application import GatewayHttp
from .http.limits import PartnerLimits
from .http.observer import EdgeObserver, count_received, scope_of
from .http.server import HttpServer
from .servicer import GatewayServicer
from .storage import DatabaseEngine, GatewayUnitOfWork, end_leases_of_the_dead

logger = logging.getLogger(__name__)

POLL_SECONDS = {"janitor": 600.0, "sealer": 0.5, "poll": 1.0, "compose-payout": 1.0, "forward-settlement": 1.0}
# Who has work once a worker has done some.
FOLLOWERS = {
    "poll": ("translate",),
    "translate": ("forward", "poll", "compose-payout"),
    "compose-payout": ("translate", "forward-settlement"),
}


def build(env: Mapping[str, str]) -> ServiceProcess:
    """The whole process, listening. Raises a `ConcordError` where the configuration cannot be used."""
    config = GatewayConfig.from_env(env)
    accounts = ConfiguredAccounts(config.sources)
    for source in accounts.unpolled():
        logger.warning("SOURCE_NOT_POLLED: %s has no poll, so what its webhooks tell posts no money", source.name)
    telemetry = configure(TelemetryConfig.from_env("gateway", env))
    engine = open_engine(config.database_url, "gateway")
    upgrade(engine, "services.gateway")
    end_leases_of_the_dead(engine)
    keys = TokenKeys.parse(_required(env, "CONCORD_TOKEN_KEYS"))
    api = HttpApi({one.source.interface: one.api for one in config.sources if one.api})
    channels = [_channel(one, env, keys, telemetry) for one in (config.ledger_address, config.recon_address)]

    def clock() -> datetime:
        return datetime.now(UTC)

    world = World(
        new_uow=lambda: GatewayUnitOfWork(engine),
        accounts=accounts,
        ledger=LedgerClient(channels[0]),
        recon=ReconClient(channels[1]),
        api=api,
        clock=clock,
        # Seeded by the system once: asking it for every id would let go of the interpreter each time. No secret.
        ids=TransactionIds(clock, random.Random()),  # noqa: S311
        rng=random.SystemRandom(),
        tracing=telemetry.tracer,
        owner=f"gateway-{socket.gethostname()}-{os.getpid()}",
        set_aside=lambda source, reason: telemetry.metrics.exception(scope_of(source), reason),
        put_back=lambda source, reason: telemetry.metrics.retry(scope_of(source), reason),
        fetched=lambda source, receipt: count_received(telemetry.metrics, source, receipt),
    )
    wakes: defaultdict[str, threading.Event] = defaultdict(threading.Event)  # by worker
    receive = receiver(world)

    def commit_batch(new: list[NewDelivery]) -> list[Receipt]:
        receipts = receive(new)
        wakes["translate"].set()
        wakes["forward-file"].set()
        return receipts

    writer = GroupCommitWriter(commit_batch, name="inbox")
    gateway = assemble(world, writer)
    observer = _observer(world, telemetry)
    verifier = TokenVerifier(keys)
    rpc = serve(config.rpc, [_registration(gateway, wakes)], verifier, telemetry.server_interceptors())

    def is_ready() -> bool:
        with reading(engine) as connection:
            return connection.exec_driver_sql("SELECT 1").scalar() == 1

    http = HttpServer(_application(config, gateway, writer, verifier, observer, is_ready), config.http)
    closing: list[Callable[[], object]] = [observer.close, writer.close, api.close, *(one.close for one in channels)]
    closing += [telemetry.shutdown, engine.dispose]
    telemetry.metrics.watch_queues(lambda: queue_readings(engine, world.accounts, clock()))
    loops = [*_loops(gateway, wakes, telemetry), health_loop(rpc, lambda: ensure_reachable(engine))]
    return ServiceProcess("gateway", {"http": http, "grpc": rpc}, loops, closing=closing)


def _observer(world: World, telemetry: Telemetry) -> EdgeObserver:
    def keep(source: Source, error: ConcordError, body: bytes) -> None:
        keep_refused(source, error, body, new_uow=world.new_uow, clock=world.clock, ids=world.ids)

    return EdgeObserver(telemetry.metrics, keep, world.clock)


def queue_readings(engine: DatabaseEngine, accounts: Accounts, now: datetime) -> list[QueueReading]:
    """What waits, by interface. It only reads: a scrape waits for no writer, and no writer for it."""
    companies = {one.source.interface: one.source.company for one in accounts.all()}
    with GatewayUnitOfWork(engine, read_only=True) as uow:
        lengths = uow.trail.queues(now)
    return [
        QueueReading(
            f"gateway.{one.queue}",
            one.depth,
            one.oldest_seconds,
            Scope.on(companies.get(one.interface, ""), one.interface),
        )
        for one in lengths
    ]


def _registration(gateway: Gateway, wakes: Mapping[str, threading.Event]) -> Registration:
    world = gateway.world
    poll_source = gateway.poll_source(wakes["translate"].set)
    servicer = GatewayServicer(world.new_uow, world.accounts, poll_source, world.clock)
    service = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"]
    return Registration(servicer, gateway_pb2_grpc.add_GatewayServiceServicer_to_server, service)


def _application(
    config: GatewayConfig,
    gateway: Gateway,
    writer: GroupCommitWriter[NewDelivery, Receipt],
    verifier: TokenVerifier,
    observer: EdgeObserver,
    is_ready: Callable[[], bool],
) -> GatewayHttp:
    return GatewayHttp(
        gateway.world.accounts,
        writer,
        gateway.prove,
        lambda: gateway.upload(config.http.max_file_bytes),
        verifier,
        PartnerLimits({one.source.interface: one.deliveries_per_minute for one in config.sources}),
        observer,
        is_ready,
        max_body_bytes=config.http.max_body_bytes,
        body_timeout_seconds=config.http.body_timeout_seconds,
        file_timeout_seconds=config.http.file_timeout_seconds,
    )


def _loops(gateway: Gateway, wakes: Mapping[str, threading.Event], telemetry: Telemetry) -> list[WorkerLoop]:
    def followed(name: str, run_once: Callable[[], int]) -> Callable[[], int]:
        def run() -> int:
            done = run_once()
            if done:
                for follower in FOLLOWERS.get(name, ()):
                    wakes[follower].set()
            return done

        return run

    def failed(name: str) -> Callable[[str], None]:
        return lambda reason: telemetry.metrics.worker_failure(name, reason)

    return [
        WorkerLoop(
            name, followed(name, run_once), wakes[name], POLL_SECONDS.get(name, 1.0), on_error=failed(name)
        )
        for name, run_once in gateway.workers().items()
    ]  # fmt: skip


def _channel(address: str, env: Mapping[str, str], keys: TokenKeys, telemetry: Telemetry) -> grpc.Channel:
    return open_channel(
        address,
        ChannelConfig.from_env(env, "gateway"),
        IssuedToken(keys, "gateway"),
        metadata=(outgoing_headers,),
        interceptors=telemetry.client_interceptors(),
    )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise ConfigInvalid(f"{name} is not set")
    return value


def main() -> int:
    """The process's exit status."""
    configure_logging("gateway")
    return build(os.environ).run(ports_file=os.environ.get("CONCORD_GATEWAY_PORTS_FILE"))


if __name__ == "__main__":
    sys.exit(main())
