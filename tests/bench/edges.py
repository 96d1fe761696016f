"""The servers that webhooks are sent to, each a process of its own, all on the gateway's own HTTP server settings.

    python -m tests.bench.edges '{"kind": "group", "url": "sqlite:////tmp/gateway.db", "schema": "gateway"}'

bare       proves the signature and answers 202: raw ASGI. Nothing is kept
starlette  the same in Starlette
group      the gateway's HTTP face over its inbox, as `services.gateway.main` builds it, without its workers
each       the same with one commit a request

Prints one JSON line with its port when it listens, and ends on SIGTERM.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.events import TransactionIds
from libs.rpc.identity import TokenKey, TokenKeys, TokenVerifier
from libs.storage.engine import open_engine
from libs.storage.group_commit import GroupCommitWriter
from libs.storage.migrate import upgrade
from libs.telemetry.config import TelemetryConfig
from libs.telemetry.setup import configure
from providers.base import Secrets, Source
from providers.errors import SignatureRefused
from providers.stripe.signature import TOLERANCE_SECONDS, verify
from services.gateway.accounts import ConfiguredAccounts
from services.gateway.config import HttpConfig, SourceConfig
from services.gateway.domain.delivery import NewDelivery, Receipt
from services.gateway.handlers.receive import ReceiveDeliveries, prove
from services.gateway.handlers.upload import Upload
from services.gateway.http.application import BodyLimits, GatewayHttp, Inbox
from services.gateway.http.limits import PartnerLimits
from services.gateway.http.observer import EdgeObserver
from services.gateway.http.server import HttpServer
from services.gateway.storage import GatewayUowFactory
from tests.bench.machine import ROOT
from tests.bench.webhooks import ACCOUNT, PATH, SECRET

SECRETS = Secrets((SECRET.encode(),))
UNLIMITED_PER_MINUTE = 1_000_000_000


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Raw ASGI: read, prove, 202."""
    message = await receive()
    content = message["body"]
    while message.get("more_body"):
        message = await receive()
        content += message["body"]
    status = _status(dict(scope["headers"]).get(b"stripe-signature", b"").decode(), content)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _hook(request: Request) -> Response:
    return Response(status_code=_status(request.headers.get("stripe-signature", ""), await request.body()))


def _status(header: str, content: bytes) -> int:
    try:
        verify(header, content, SECRETS, datetime.now(UTC), TOLERANCE_SECONDS)
    except SignatureRefused:
        return 401
    return 202


def gateway_face(url: str, schema: str, max_batch: int) -> tuple[GatewayHttp, Callable[[], None]]:
    """The gateway's HTTP face over a migrated inbox, and what closes it."""
    engine = open_engine(url, schema)
    upgrade(engine, "services.gateway")
    source = Source("stripe", ACCOUNT, "bench", True)
    configured = [SourceConfig(source, SECRETS, deliveries_per_minute=UNLIMITED_PER_MINUTE)]
    telemetry = configure(TelemetryConfig("gateway"))

    def clock() -> datetime:
        return datetime.now(UTC)

    new_uow = GatewayUowFactory(engine)

    ids = TransactionIds(clock, random.Random())
    store = ReceiveDeliveries(new_uow, clock, telemetry.tracer)
    writer: GroupCommitWriter[NewDelivery, Receipt] = GroupCommitWriter(store, max_batch=max_batch, name="inbox")
    observer = EdgeObserver(telemetry.metrics, lambda *_: None, clock)
    http = HttpConfig()
    face = GatewayHttp(
        Inbox(
            ConfiguredAccounts(configured),
            lambda account, headers, body, link: prove(account, headers, body, clock=clock, ids=ids, link=link),
            lambda: Upload(new_uow, clock, ids, http.max_file_bytes),
            writer,
        ),
        BodyLimits(http.max_body_bytes, http.body_timeout_seconds, http.file_timeout_seconds),
        TokenVerifier(TokenKeys([TokenKey.secret("k1", "b" * 40)])),
        PartnerLimits({source.interface: UNLIMITED_PER_MINUTE}),
        observer,
        lambda: True,
    )

    def close() -> None:
        writer.close()
        observer.close()
        engine.dispose()

    return face, close


def main() -> None:
    settings = json.loads(sys.argv[1])
    kind = settings["kind"]
    close: Callable[[], None] = lambda: None  # noqa: E731 - nothing to close
    application: Any = bare
    if kind == "starlette":
        application = Starlette(routes=[Route(PATH, _hook, methods=["POST"])])
    elif kind in ("group", "each"):
        application, close = gateway_face(settings["url"], settings["schema"], 500 if kind == "group" else 1)
    server = HttpServer(application, HttpConfig(listen="127.0.0.1:0"))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(json.dumps({"port": server.port}), flush=True)
    stop.wait()
    server.stop(3)
    close()


@contextmanager
def serving(module: str, **settings: Any) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A process of `module` with these settings and what it printed when it was ready; ended after the block."""
    arguments = [sys.executable, "-m", module, json.dumps(settings)]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{module} did not start")
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


if __name__ == "__main__":
    main()
