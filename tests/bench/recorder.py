"""The ledger's gRPC service with its group-commit writer and nothing else: what accepts events, without the workers.

    python -m tests.bench.recorder '{"url": "sqlite:////tmp/ledger.db", "schema": "ledger"}'

Prints one JSON line with its port when it listens, and ends on SIGTERM.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
from datetime import UTC, datetime

from libs.events import TransactionIds
from libs.rpc.config import ServerConfig
from libs.rpc.identity import TokenKey, TokenKeys, TokenVerifier
from libs.rpc.server import serve
from libs.storage.engine import open_engine
from libs.storage.group_commit import GroupCommitWriter
from libs.storage.migrate import upgrade
from libs.telemetry.config import TelemetryConfig
from libs.telemetry.setup import configure
from services.ledger.domain.errors import EventRefused
from services.ledger.domain.event import RecordedEvent
from services.ledger.handlers.record_events import IncomingEvent, record_events
from services.ledger.servicer import Broadcast, LedgerServicer, registration
from services.ledger.storage.uow import LedgerUowFactory

KEYS = TokenKeys([TokenKey.secret("k1", "b" * 40)])


def main() -> None:
    settings = json.loads(sys.argv[1])
    engine = open_engine(settings["url"], settings["schema"])
    upgrade(engine, "services.ledger")
    new_uow = LedgerUowFactory(engine)

    def clock() -> datetime:
        return datetime.now(UTC)

    ids = TransactionIds(clock, random.SystemRandom())

    def record(told: list[IncomingEvent]) -> list[RecordedEvent | EventRefused]:
        return record_events(told, new_uow, clock, ids)

    writer = GroupCommitWriter(record, max_batch=1000, name="recorder")
    servicer = LedgerServicer(new_uow, writer, clock, Broadcast())
    telemetry = configure(TelemetryConfig("ledger"))
    server = serve(ServerConfig(), [registration(servicer)], TokenVerifier(KEYS), telemetry.server_interceptors())
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(json.dumps({"port": server.port}), flush=True)
    stop.wait()
    server.stop(3)
    writer.close()
    engine.dispose()


if __name__ == "__main__":
    main()
