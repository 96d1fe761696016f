"""The gateway in one thread, on a clock that stands still until it is moved, with fakes of what it calls."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from libs.access import EVERYTHING
from libs.errors import ConcordError, Kind
from libs.events import Digest, Event, Settlement, TransactionIds
from libs.handover import NotRecorded, Recorded
from libs.service.work import WorkContext
from libs.storage import private
from libs.storage.engine import copy_template, open_engine
from libs.storage.group_commit import InlineWriter
from libs.storage.migrate import upgrade
from libs.telemetry.trace import Tracer
from libs.trail import ControlTotal, Step
from providers.base import Secrets, Source
from providers.shopify.signature import sign as sign_shopify
from providers.stripe import API
from providers.stripe.fake_account import StripeAccount
from providers.stripe.fake_api import FakeStripe
from providers.stripe.signature import sign as sign_stripe
from services.gateway.accounts import ConfiguredAccounts
from services.gateway.adapters.provider_api import ApiAccess, HttpApi
from services.gateway.assembly import Gateway, Surroundings, assemble, receiver
from services.gateway.config import SourceConfig
from services.gateway.domain.delivery import UploadedFile
from services.gateway.domain.source import PollPlan
from services.gateway.storage import GatewayUowFactory
from tests.storage.salts import salts_of
from tests.storage.stored import stored

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
STRIPE_SECRETS = (b"whsec_first", b"whsec_second")
SHOPIFY_SECRET = b"shop-secret"
API_KEY = "rk_live_key"
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

STRIPE = Source("stripe", "acct_1", "demo", True)
SHOPIFY = Source("shopify", "shop", "demo", True)
BANK = Source("bank", "DE02120300000000202051", "demo", True)


class Down(ConcordError):
    kind = Kind.RETRY
    reason = "SERVICE_UNAVAILABLE"


class Crash(BaseException):
    """The process is gone."""


class FakeLedger:
    """Records by name and digest, as the ledger promises."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.calls = 0
        self.fail_before: list[ConcordError] = []  # nothing happens
        self.fail_after: list[ConcordError] = []  # the reply is lost
        self.refuse: dict[str, str] = {}  # event name → reason
        self.postpone: set[str] = set()  # names that are answered "later"
        self.poison: set[str] = set()  # names that make a whole call fail

    def record(self, events: Sequence[Event]) -> list[Recorded | NotRecorded]:
        self.calls += 1
        if self.fail_before:
            raise self.fail_before.pop(0)
        if any(event.name in self.poison for event in events):
            raise Down("internal error")
        answers = [self._one(event) for event in events]
        if self.fail_after:
            raise self.fail_after.pop(0)
        return answers

    def _one(self, event: Event) -> Recorded | NotRecorded:
        if event.name in self.postpone:
            return NotRecorded("STORAGE_CONFLICT", retry=True)
        if event.name in self.refuse:
            return NotRecorded(self.refuse[event.name], retry=False)
        known = self.events.get(event.name)
        if known is None:
            self.events[event.name] = event
            return Recorded(event.transaction_id, duplicate=False)
        if Digest.of(known) != Digest.of(event):
            return NotRecorded("EVENT_CONFLICT", retry=False)
        return Recorded(known.transaction_id, duplicate=True)


@dataclass
class FakeRecon:
    """Keeps what it was given."""

    settlements: list[tuple[Settlement, str, str]] = field(default_factory=list)
    files: list[tuple[str, UploadedFile, bytes]] = field(default_factory=list)
    failures: list[ConcordError] = field(default_factory=list)
    while_it_reads: Callable[[], object] = lambda: None  # called at each chunk of a file

    def import_statement(self, file: UploadedFile, chunks: Iterable[bytes]) -> None:
        self._take("statement", file, chunks)

    def import_settlement_file(self, file: UploadedFile, chunks: Iterable[bytes]) -> None:
        self._take("settlement", file, chunks)

    def import_settlement(self, settlement: Settlement, delivery: str, transaction_id: str) -> None:
        self._fail()
        self.settlements.append((settlement, delivery, transaction_id))

    def _take(self, kind: str, file: UploadedFile, chunks: Iterable[bytes]) -> None:
        self._fail()
        body = b""
        for chunk in chunks:
            body += chunk
            self.while_it_reads()
        self.files.append((kind, file, body))

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@cache
def template() -> Engine:
    engine = open_engine("sqlite://", "gateway")
    upgrade(engine, "services.gateway")
    return engine


class _Counting:
    """Counts what workers meet for a world."""

    def __init__(self, world: GatewayWorld) -> None:
        self._world = world

    def retried(self, company: str, interface: str, reason: str) -> None:
        self._world.put_back.append((company, interface, reason))

    def set_aside(self, company: str, interface: str, reason: str) -> None:
        self._world.set_aside.append((company, interface, reason))


class GatewayWorld:
    """One gateway. `deliver_…` brings webhooks in, `run` lets the workers work until nothing is due."""

    def __init__(self, engine: Engine | None = None, *, seed: int = 7, poll: bool = True) -> None:
        private.new_salt = salts_of(seed)
        self.now = NOW
        self.engine = engine or copy_template(template())
        self.account = StripeAccount("acct_1")
        self.stripe = FakeStripe({API_KEY: self.account})
        self.ledger = FakeLedger()
        self.recon = FakeRecon()
        plan = PollPlan(60.0, 3600, int((NOW - timedelta(days=30)).timestamp())) if poll else None
        self.access = ApiAccess(API, API_KEY, "https://api.stripe.test")
        self.sources = [
            SourceConfig(STRIPE, Secrets(STRIPE_SECRETS), self.access, plan),
            SourceConfig(SHOPIFY, Secrets((SHOPIFY_SECRET,))),
            SourceConfig(BANK, Secrets(())),
        ]
        self.tracing = Tracer()
        self.set_aside: list[tuple[str, str, str]] = []  # company, interface, reason
        self.put_back: list[tuple[str, str, str]] = []  # likewise
        self.fetched: list[tuple[str, str, bool]] = []  # company, interface, whether it was known
        self.points = 0  # of commits: one before each, one after
        self.crash_at = 0
        self.gateway = self.started(seed)

    def started(self, seed: int) -> Gateway:
        """The process, from its database alone."""
        work = WorkContext(
            lambda: self.now, TransactionIds(lambda: self.now, random.Random(seed)), random.Random(seed), self.tracing,
            "gateway", _Counting(self),
        )  # fmt: skip
        world = Surroundings(
            new_uow=GatewayUowFactory(self.engine, self._observe),
            accounts=ConfiguredAccounts(self.sources),
            ledger=self.ledger,
            recon=self.recon,
            api=HttpApi({STRIPE.interface: self.access}, transport=transport(self.stripe)),
            work=work,
            fetched=lambda source, receipt: self.fetched.append((source.company, source.interface, receipt.duplicate)),
        )
        return assemble(world, InlineWriter(receiver(world)))

    def deliver_stripe(self, body: bytes, *, at: datetime | None = None, secret: bytes = STRIPE_SECRETS[0]) -> str:
        """The transaction id that the 202 names."""
        headers = {"stripe-signature": sign_stripe(body, secret, at or self.now)}
        return self.gateway.receive("stripe", "acct_1", headers, body).transaction_id

    def deliver_shopify(self, body: bytes, topic: str = "orders/paid", webhook_id: str = "w-1") -> str:
        headers = {
            "x-shopify-hmac-sha256": sign_shopify(body, SHOPIFY_SECRET),
            "x-shopify-topic": topic,
            "x-shopify-webhook-id": webhook_id,
        }
        return self.gateway.receive("shopify", "shop", headers, body).transaction_id

    def run(self, *names: str, rounds: int = 50) -> None:
        """Turns of all workers (or those named) until none has work; what fails is tried again by its own clock."""
        workers = self.gateway.workers()
        chosen = [workers[name] for name in names or workers]
        for _ in range(rounds):
            done = 0
            for run_once in chosen:
                try:
                    done += run_once()
                except ConcordError as error:
                    assert error.kind in (Kind.RETRY, Kind.PRECONDITION), error  # noqa: PT017
            if not done:
                return
        raise AssertionError("the workers do not come to rest")

    def _observe(self, point: str) -> None:
        self.points += 1
        if self.points == self.crash_at:
            raise Crash

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def uow(self) -> GatewayUowFactory:
        return GatewayUowFactory(self.engine)

    def totals(self) -> list[ControlTotal]:
        with self.uow() as uow:
            return uow.trail.totals("demo", EVERYTHING)

    def steps(self, transaction_id: str) -> tuple[str, list[Step]]:
        with self.uow() as uow:
            return uow.trail.steps(transaction_id, EVERYTHING)

    def stored(self, table: str, *columns: str, **where: object) -> list[tuple[Any, ...]]:
        return stored(self.engine, table, *columns, **where)

    def count(self, table: str) -> int:
        return len(self.stored(table))

    def states(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        return Counter(state for (state,) in self.stored("delivery", "state"))


def transport(stripe: FakeStripe) -> httpx.MockTransport:
    """The fake API without a socket."""

    def answer(request: httpx.Request) -> httpx.Response:
        parameters = request.url.params.multi_items()
        status, content = stripe.answer(request.url.path, parameters, request.headers.get("authorization", ""))
        return httpx.Response(int(status), content=json.dumps(content).encode())

    return httpx.MockTransport(answer)


def headers_for(body: bytes, at: datetime = NOW, secret: bytes = STRIPE_SECRETS[0]) -> Mapping[str, str]:
    return {"stripe-signature": sign_stripe(body, secret, at)}


UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
