"""Starts recon: the gRPC service and the workers that record, watch, match, apply and seal. Read this first."""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import grpc
from concord.recon.v1 import recon_pb2, recon_pb2_grpc

from libs.events import TransactionIds
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ConfigInvalid
from libs.rpc.identity import IssuedToken, TokenKeys, TokenVerifier
from libs.rpc.server import Registration, serve
from libs.service.process import ServiceProcess, WorkerLoop
from libs.service.readiness import health_loop
from libs.service.work import WorkContext
from libs.storage.engine import ensure_reachable, open_engine
from libs.storage.migrate import upgrade
from libs.storage.nats import NatsPublisher
from libs.storage.outbox import Relay
from libs.telemetry.context import outgoing_headers
from libs.telemetry.logs import configure_logging
from libs.telemetry.setup import Telemetry, TelemetryConfig, configure

from .adapters.ledger import LedgerClient
from .assembly import Recon, build_recon
from .config import ReconConfig
from .servicer import ReconServicer
from .storage import TABLES
from .telemetry import CountedWork, watch

POLL_SECONDS = {"sealer": 0.5, "differences": 1.0, "apply": 0.5, "match": 1.0, "watch": 1.0, "record": 1.0}
# Who has work once a worker has done some.
FOLLOWERS = {
    "record": ("watch",),
    "watch": ("match",),
    "match": ("apply", "differences"),
    "apply": ("watch", "match"),
}
IMPORTED = ("record", "watch", "match")  # who has work after an import


def build(env: Mapping[str, str]) -> ServiceProcess:
    """The whole process, listening. Raises a `ConcordError` where the configuration cannot be used."""
    config = ReconConfig.from_env(env)
    telemetry = configure(TelemetryConfig.from_env("recon", env))
    engine = open_engine(config.database_url, "recon")
    upgrade(engine, "services.recon")
    keys = TokenKeys.parse(_required(env, "CONCORD_TOKEN_KEYS"))
    channel = _channel(config.ledger_address, env, keys, telemetry)
    wakes: defaultdict[str, threading.Event] = defaultdict(threading.Event)  # by worker
    ledger = LedgerClient(channel, wakes["watch"].set)
    rng = random.SystemRandom()
    work = WorkContext(
        utc_now,
        TransactionIds(utc_now, rng),
        rng,
        telemetry.tracer,
        owner=f"recon-{socket.gethostname()}-{os.getpid()}",
        observer=CountedWork(telemetry.metrics),
    )
    recon = build_recon(engine, ledger, work, config.settings)
    watch(telemetry.metrics, lambda: _queues(recon), lambda: _unmatched(recon))
    rpc = serve(config.rpc, [_registration(recon, wakes)], TokenVerifier(keys), telemetry.server_interceptors())
    workers = recon.workers()
    closing: list[Callable[[], object]] = [ledger.close, channel.close]
    if config.nats_url:
        publisher = NatsPublisher(config.nats_url)
        workers["relay"] = _relay(recon, publisher).run_once
        closing.append(publisher.close)
    closing += [telemetry.shutdown, engine.dispose]
    loops = [*_loops(workers, wakes, telemetry), health_loop(rpc, lambda: ensure_reachable(engine))]
    return ServiceProcess("recon", {"grpc": rpc}, loops, closing=closing)


def utc_now() -> datetime:
    return datetime.now(UTC)


def _registration(recon: Recon, wakes: Mapping[str, threading.Event]) -> Registration:
    def imported() -> None:
        for name in IMPORTED:
            wakes[name].set()

    servicer = ReconServicer(
        recon.new_uow,
        recon.import_statement,
        recon.import_settlement_file,
        recon.import_settlement,
        recon.work.clock,
        imported,
    )
    service = recon_pb2.DESCRIPTOR.services_by_name["ReconService"]
    return Registration(servicer, recon_pb2_grpc.add_ReconServiceServicer_to_server, service)


def _loops(
    workers: Mapping[str, Callable[[], int]], wakes: Mapping[str, threading.Event], telemetry: Telemetry
) -> list[WorkerLoop]:
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
        WorkerLoop(name, followed(name, run_once), wakes[name], POLL_SECONDS.get(name, 1.0), on_error=failed(name))
        for name, run_once in workers.items()
    ]


def _relay(recon: Recon, publisher: NatsPublisher) -> Relay:
    return Relay(
        recon.new_uow,
        TABLES,
        publisher,
        clock=utc_now,
        rng=random.SystemRandom(),
        owner=f"recon-{socket.gethostname()}-{os.getpid()}",
    )


def _queues(recon: Recon) -> Iterable[tuple[str, int, float, str, str]]:
    with recon.new_uow(read_only=True) as uow:
        lengths = uow.trail.queues(utc_now())
    return [(one.queue, one.depth, one.oldest_seconds, one.company, one.interface) for one in lengths]


def _unmatched(recon: Recon) -> dict[tuple[str, str], int]:
    with recon.new_uow(read_only=True) as uow:
        return uow.items.unmatched_lines()


def _channel(address: str, env: Mapping[str, str], keys: TokenKeys, telemetry: Telemetry) -> grpc.Channel:
    return open_channel(
        address,
        ChannelConfig.from_env(env, "recon"),
        IssuedToken(keys, "recon"),
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
    configure_logging("recon")
    return build(os.environ).run(ports_file=os.environ.get("CONCORD_RECON_PORTS_FILE"))


if __name__ == "__main__":
    sys.exit(main())
