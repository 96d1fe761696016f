"""Starts the ledger: the gRPC service and the workers that build, post, reconcile and seal. Read this first."""

from __future__ import annotations

import functools
import gc
import os
import random
import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from concord.masterdata.v1 import masterdata_pb2_grpc

from libs.events import Clock, IdSource, TransactionIds
from libs.odoo.connect import connect
from libs.odoo.port import Odoo
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ConfigInvalid
from libs.rpc.identity import IssuedToken, TokenKeys, TokenVerifier
from libs.rpc.server import Registration, serve
from libs.service.process import ServiceProcess, WorkerLoop
from libs.service.readiness import health_loop
from libs.storage.engine import ensure_reachable, open_engine
from libs.storage.group_commit import GroupCommitWriter
from libs.storage.migrate import upgrade
from libs.storage.nats import NatsPublisher
from libs.storage.outbox import Relay
from libs.telemetry.context import outgoing_headers
from libs.telemetry.logs import configure_logging
from libs.telemetry.metrics import QueueReading, Scope
from libs.telemetry.odoo import TracedOdoo, of_company
from libs.telemetry.setup import Telemetry, TelemetryConfig, configure

from .adapters.company_books import MasterdataBooks
from .adapters.masterdata import MasterdataClient, Stub
from .adapters.odoo_connection import LazyOdoo
from .adapters.odoo_journal import OdooJournal
from .assembly import Ledger, World, assemble
from .config import LedgerConfig, OdooConfig
from .domain.posting import EventState
from .domain.states import PostingState
from .handlers.ports import Committed
from .servicer import Broadcast, LedgerServicer
from .storage import TABLES
from .storage.unit_of_work import Ledgers, Listener
from .telemetry import LedgerTelemetry

POLL_SECONDS = {"hold": 5.0, "seal": 0.2, "reconcile": 0.5, "match": 0.5, "relay": 1.0}
# Which workers a commit gives work to.
WORKERS = {"build": ("build",), "post": ("post",), "match": ("match", "reconcile"), "seal": ("seal", "relay")}


def build_ledger(
    new_uow: Ledgers,
    masterdata: Stub,
    odoo: Odoo,
    clock: Clock,
    ids: IdSource,
    rng: random.Random,
    *,
    installation: str = "main",
    owner: str = "ledger",
    post_batch: int = 100,
) -> Ledger:
    """The whole ledger without server or threads, on `Ledgers(engine)` of a migrated database.

    `masterdata` has the methods of `MasterdataServiceStub`, wherever they run.
    """
    client = MasterdataClient(masterdata, clock)
    books = MasterdataBooks(client)

    @functools.cache
    def journal_of(company: str) -> OdooJournal:
        return OdooJournal(of_company(odoo, company), installation, books.currency(company))

    world = World(
        new_uow=new_uow,
        masterdata=client,
        journal_of=journal_of,
        books=books,
        clock=clock,
        ids=ids,
        rng=rng,
        owner=owner,
        post_batch=post_batch,
    )
    return assemble(world)


def build(env: Mapping[str, str]) -> ServiceProcess:
    """The whole process, listening. Raises a `ConcordError` where the configuration cannot be used."""
    config = LedgerConfig.from_env(env)
    telemetry = configure(TelemetryConfig.from_env("ledger", env))
    engine = open_engine(config.database_url, "ledger")
    upgrade(engine, "services.ledger")
    keys = TokenKeys.parse(_required(env, "CONCORD_TOKEN_KEYS"))
    channel = open_channel(
        config.masterdata_address,
        ChannelConfig.from_env(env, "ledger"),
        IssuedToken(keys, "ledger"),
        metadata=(outgoing_headers,),
        interceptors=telemetry.client_interceptors(),
    )
    rng = random.SystemRandom()
    wakes: defaultdict[str, threading.Event] = defaultdict(threading.Event)  # by worker
    listen = listener(LedgerTelemetry(telemetry.tracer, telemetry.metrics, utc_now), wakes)
    ledger = build_ledger(
        Ledgers(engine, listen=listen),
        masterdata_pb2_grpc.MasterdataServiceStub(channel),
        TracedOdoo(LazyOdoo(lambda: _connect(config.odoo)), telemetry.tracer, telemetry.metrics),
        utc_now,
        TransactionIds(utc_now, rng),
        rng,
        installation=config.installation,
        owner=f"ledger-{socket.gethostname()}-{os.getpid()}",
        post_batch=config.post_batch,
    )
    telemetry.metrics.watch_queues(lambda: _queues(ledger))
    writer = GroupCommitWriter(ledger.record, max_batch=1000, name="recorder")
    changes = Broadcast()
    servicer = LedgerServicer(ledger.world.new_uow, writer, utc_now, changes)
    rpc = serve(config.rpc, [_registration(servicer)], TokenVerifier(keys), telemetry.server_interceptors())
    closing: list[Callable[[], object]] = [writer.close, channel.close]
    workers = ledger.workers()
    workers["seal"] = _telling(workers["seal"], changes)
    if config.nats_url:
        publisher = NatsPublisher(config.nats_url)
        workers["relay"] = _relay(ledger, publisher).run_once
        closing.append(publisher.close)
    closing += [telemetry.shutdown, engine.dispose]
    loops = [*_loops(workers, wakes, telemetry), health_loop(rpc, lambda: ensure_reachable(engine))]
    return ServiceProcess("ledger", {"grpc": rpc}, loops, closing=closing)


def listener(telemetry: LedgerTelemetry, wakes: Mapping[str, threading.Event]) -> Listener:
    """Wakes the workers that a commit gave work to, and tells telemetry of its steps."""

    def listen(committed: Committed) -> None:
        for queue in committed.queues:
            for worker in WORKERS[queue]:
                wakes[worker].set()
        for recorded, told in committed.recorded:
            no_effect = recorded.state is EventState.NO_EFFECT
            telemetry.recorded(recorded.event, recorded.traceparent, no_effect=no_effect, begins=not told)
        for event in committed.repeated:
            telemetry.repeated(event)
        for event, reason in committed.postponed:
            telemetry.put_back(event.company, event.name, reason)
        _tell_of_postings(telemetry, committed)

    return listen


def _tell_of_postings(telemetry: LedgerTelemetry, committed: Committed) -> None:
    built = {one.posting.event: one for one in committed.created}
    for new in built.values():
        posting = new.posting
        failed = posting.reason if posting.state is PostingState.EXCEPTION else ""
        telemetry.built(posting.company, posting.event, posting.transaction_id, failed)
    doubts = [(one.posting, one.doubt) for one in committed.created]
    for change in committed.changed:
        after = change.after
        doubts.append((after, change.doubt))
        if after.state is change.before.state:
            continue
        if after.state is PostingState.POSTED:
            telemetry.posted(after.company, after.event, after.transaction_id, after.name)
        elif change.before.state is PostingState.POSTING and after.state is not PostingState.EXCEPTION:
            telemetry.put_back(after.company, after.event, after.reason)
    for posting, doubt in doubts:
        if doubt is not None:
            telemetry.doubted(posting.company, posting.event, posting.transaction_id, posting.name, doubt.reason)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def _registration(servicer: LedgerServicer) -> Registration:
    service = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]
    return Registration(servicer, ledger_pb2_grpc.add_LedgerServiceServicer_to_server, service)


def _connect(config: OdooConfig) -> Odoo:
    return connect(
        config.url,
        config.database,
        config.user,
        config.password,
        config.api_key,
        timeout_seconds=config.timeout_seconds,
    )


def _relay(ledger: Ledger, publisher: NatsPublisher) -> Relay:
    world = ledger.world
    return Relay(world.new_uow, TABLES, publisher, clock=world.clock, rng=world.rng, owner=world.owner)


def _telling(run_once: Callable[[], int], changes: Broadcast) -> Callable[[], int]:
    """What is sealed may be watched."""

    def run() -> int:
        done = run_once()
        if done:
            changes.tell()
        return done

    return run


def _loops(
    workers: Mapping[str, Callable[[], int]], wakes: Mapping[str, threading.Event], telemetry: Telemetry
) -> list[WorkerLoop]:
    def failed(name: str) -> Callable[[str], None]:
        return lambda reason: telemetry.metrics.worker_failure(name, reason)

    return [
        WorkerLoop(name, run_once, wakes[name], POLL_SECONDS.get(name, 1.0), on_error=failed(name))
        for name, run_once in workers.items()
    ]


def _queues(ledger: Ledger) -> Iterable[QueueReading]:
    with ledger.world.new_uow(read_only=True) as uow:
        lengths = uow.trail.queues(ledger.world.clock())
    return [
        QueueReading(one.queue, one.depth, one.oldest_seconds, Scope.on(one.company, one.interface)) for one in lengths
    ]


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise ConfigInvalid(f"{name} is not set")
    return value


def main() -> int:
    """The process's exit status."""
    configure_logging("ledger")
    process = build(os.environ)
    gc.freeze()  # what was imported and built stays: no collection need walk it again
    return process.run(ports_file=os.environ.get("CONCORD_LEDGER_PORTS_FILE"))


if __name__ == "__main__":
    sys.exit(main())
