"""The HTTP face on a real port, in front of a gateway whose store may be slow, full or gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]

from libs.access import EVERYTHING, AccessScope
from libs.errors import ConcordError
from libs.rpc.identity import TokenKey, TokenKeys, TokenVerifier, issue_token
from libs.storage.group_commit import GroupCommitWriter
from libs.telemetry.metrics import Metrics
from providers.base import Source
from services.gateway.assembly import receiver
from services.gateway.config import HttpConfig
from services.gateway.domain.delivery import NewDelivery, Receipt
from services.gateway.handlers.receive import keep_refused
from services.gateway.http.application import BodyLimits, GatewayHttp, Inbox
from services.gateway.http.limits import PartnerLimits
from services.gateway.http.observer import EdgeObserver
from services.gateway.http.server import HttpServer
from services.gateway.openapi import document
from tests.gateway.world import GOLDEN, GatewayWorld, headers_for

KEYS = TokenKeys([TokenKey.secret("k1", "x" * 40)])
LIMITED = "stripe/acct_1"
CHARGE = (GOLDEN / "stripe" / "charge.succeeded.json").read_bytes()
WEBHOOK = "/webhooks/stripe/acct_1"
IBAN = "DE02120300000000202051"


@dataclass
class Edge:
    """What a test talks to and looks at."""

    world: GatewayWorld
    port: int
    server: HttpServer
    store_failures: list[ConcordError] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    hold: threading.Event | None = None  # the store waits for it

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, *roles: str, scope: AccessScope = EVERYTHING) -> str:
        return issue_token(KEYS, "tester", roles, scope)


@contextmanager
def edge(
    world: GatewayWorld,
    *,
    limits: dict[str, int] | None = None,
    body_timeout_seconds: float = 5.0,
    file_timeout_seconds: float = 5.0,
    max_body_bytes: int = 64 * 1024,
    max_file_bytes: int = 3 * 1024 * 1024,
    is_ready: Callable[[], bool] = lambda: True,
) -> Iterator[Edge]:
    """Serve until the block ends."""
    world.now = datetime.now(UTC)
    receive = receiver(world.gateway.world)
    found: Edge

    def commit_batch(new: list[NewDelivery]) -> list[Receipt]:
        if found.hold is not None:
            found.hold.wait(10)
        if found.store_failures:
            raise found.store_failures.pop(0)
        found.batches.append(len(new))
        return receive(new)

    def keep(source: Source, error: ConcordError, body: bytes) -> None:
        inner = world.gateway.world
        keep_refused(source, error, body, new_uow=inner.new_uow, clock=inner.work.clock, ids=inner.work.ids)

    writer: GroupCommitWriter[NewDelivery, Receipt] = GroupCommitWriter(commit_batch)
    observer = EdgeObserver(Metrics(), keep, lambda: datetime.now(UTC))
    gateway = world.gateway
    application = GatewayHttp(
        Inbox(gateway.world.accounts, gateway.prove, lambda: gateway.upload(max_file_bytes), writer),
        BodyLimits(max_body_bytes, body_timeout_seconds, file_timeout_seconds),
        TokenVerifier(KEYS),
        PartnerLimits(limits or {}),
        observer,
        is_ready,
    )
    server = HttpServer(application, HttpConfig(listen="127.0.0.1:0"))
    found = Edge(world, server.port, server)
    try:
        yield found
    finally:
        server.stop(3)
        writer.close()
        observer.close()


def check(response: httpx.Response, method: str, path: str) -> None:
    """Compare an answer with the OpenAPI document."""
    described = document()
    template = next(
        (
            one
            for one in described["paths"]
            if one.split("/")[1] == path.split("/")[1] and one.count("/") == path.count("/")
        ),
        None,
    )
    operation = described["paths"].get(template, {}).get(method.lower())
    if operation is None:
        assert response.status_code in (404, 405)
        schema: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
    else:
        answer = operation["responses"][str(response.status_code)]
        content_type = response.headers["content-type"]
        schema = answer["content"][content_type]["schema"]
    jsonschema.validate(response.json(), {**schema, "components": described["components"]})
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code


def signed(found: Edge, body: bytes = CHARGE, **more: str) -> dict[str, str]:
    return {**headers_for(body, found.world.now), **more}


def post(
    found: Edge, path: str = WEBHOOK, body: bytes = CHARGE, headers: dict[str, str] | None = None
) -> httpx.Response:
    response = httpx.post(found.url + path, content=body, headers=signed(found, body) if headers is None else headers)
    check(response, "POST", path)
    return response
