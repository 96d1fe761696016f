"""The whole suite in one process on a virtual clock: every service's handlers and workers, partners, Odoo, and faults.

A step is something that happens: a partner sends, a worker takes a turn. Which one is next is drawn from the seed. A
worker may die at any commit, and the service starts anew from its database. It may also stand still in the middle of a
call while time passes and another process of its service goes on: when it wakes, its leases are gone.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from sqlalchemy import Engine

from libs.access import EVERYTHING
from libs.errors import ConcordError
from libs.events import TransactionIds
from libs.handover import EventLedger
from libs.handover.client import EventLedgerClient
from libs.odoo.port import Json, Odoo
from libs.service.work import WorkContext
from libs.storage import private
from libs.storage.errors import StorageConflict
from libs.storage.group_commit import InlineWriter
from libs.storage.uow import BEFORE_COMMIT
from libs.telemetry.trace import Tracer
from providers.base import ApiQuery, Secrets, Source
from providers.errors import ApiRefused, ApiUnavailable, SignatureRefused
from providers.stripe.fake_api import FakeStripe
from sandbox.transport import InProcess
from services.gateway.accounts import ConfiguredAccounts
from services.gateway.adapters.recon import ReconClient
from services.gateway.assembly import Gateway, Surroundings, receiver
from services.gateway.assembly import assemble as assemble_gateway
from services.gateway.config import SourceConfig
from services.gateway.domain.delivery import Receipt
from services.gateway.domain.source import PollPlan
from services.gateway.handlers.ports import Accounts
from services.gateway.storage import GatewayUowFactory
from services.ledger.assembly import Ledger, build_ledger
from services.ledger.servicer import Broadcast, LedgerServicer
from services.ledger.storage.uow import LedgerUowFactory
from services.recon.adapters.ledger import LedgerClient, to_change
from services.recon.assembly import build_recon
from services.recon.domain.items import BankItem, Target
from services.recon.domain.outcome import Result
from services.recon.domain.settings import Settings
from services.recon.engine.passes import match
from services.recon.handlers.ports import LedgerChange
from services.recon.handlers.ports import ReconLedger as ReconsLedger
from services.recon.servicer import ReconServicer
from tests.lossy_transport import LossyTransport
from tests.simulation.databases import Databases, InMemory, company
from tests.simulation.day import (
    ACCOUNT,
    BANK_ACCOUNT,
    COMPANY,
    EVENING,
    SHOP,
    SHOPIFY_SECRET,
    STRIPE_SECRET,
    Day,
    File,
    Message,
)
from tests.simulation.faults import Crash, Faults, Rates, ServiceGone
from tests.simulation.network import Channel
from tests.simulation.queues import Queues
from tests.storage.salts import salts_of

API_KEY = "rk_live_simulation"
SERVICES = ("ledger", "recon", "gateway")
STEPS_AT_MOST = 5_000
DEEPEST_PAUSE = 2
# Workers that can wait while others have work, and gather what has come; how often they have a turn all the same, and
# how often where nobody else has work, before time goes on.
PATIENT = frozenset({"build", "post", "reconcile", "seal", "watch", "match", "differences", "sealer"})
TURNS_OF_PATIENT = 0.15
TURNS_OF_IDLE = 0.6
POLL = PollPlan(interval_seconds=1800.0, overlap_seconds=7200, since=int(EVENING.timestamp()) - 3600)
RECON = Settings(companies=(COMPANY,), apply_poll_seconds=30.0)
SOURCES = (
    SourceConfig(Source("stripe", ACCOUNT, COMPANY, True), Secrets((b"whsec_old", STRIPE_SECRET)), None, POLL),
    SourceConfig(Source("shopify", SHOP, COMPANY, True), Secrets((SHOPIFY_SECRET,))),
    SourceConfig(Source("bank", BANK_ACCOUNT, COMPANY, True), Secrets(())),
)


@dataclass
class Process:
    """One process of a service, as far as it is alive."""

    service: str
    workers: Mapping[str, Callable[[], int]]
    servicer: Any = None
    gateway: Gateway | None = None


@dataclass
class Parcel:
    """A message on its way, until its partner has had a 2xx."""

    message: Message
    tries: int = 0
    again: bool = True  # may be sent twice


class World:
    """`run` plays the day and then lets everything come to rest."""

    def __init__(self, seed: int, rates: Rates, databases: Databases | None = None) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        private.new_salt = salts_of(seed)
        self.faults = Faults(rates, random.Random(f"{seed} faults"))
        self.now = EVENING
        self.databases = databases or InMemory()
        self.engines: dict[str, Engine] = {}
        self.day = Day()
        self.shown_at: dict[str, datetime] = {}  # when Stripe's list shows a movement
        self.version = 18 + seed % 2
        self.company = company(self.version)
        self.sandbox = self.company.sandbox.copy(self.clock)
        self.lossy = LossyTransport(
            InProcess(self.sandbox, "concord"),
            random.Random(f"{seed} odoo"),
            lose_reply=rates.odoo_lose_reply,
            lose_request=rates.odoo_lose_request,
            refuse=rates.odoo_refuse,
            conflict=rates.odoo_conflict,
        )
        self.receipts: dict[str, set[Receipt]] = {}  # by the message's title
        self.refused = 0
        self.watched: list[tuple[int, str]] = []  # changes of postings, as a watcher saw them
        self.failures: list[str] = []  # reasons that workers met
        self.steps = 0
        self._scheduled: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0
        self._generation = 0
        self._paused = 0
        self._running: list[str] = []  # services whose code is on the stack, outermost first
        self.processes: dict[str, Process] = {}
        self._news = True  # the ledger may have something that recon's watcher has not seen

    def clock(self) -> datetime:
        return self.now

    # What happens.

    def run(self) -> None:
        self.engines = {service: self.databases.open(service) for service in SERVICES}
        self.queues = {service: Queues(service, engine) for service, engine in self.engines.items()}
        for service in self.engines:
            self.start(service)
        for forged in self.day.forgeries():
            self.send(forged)
        facts = self.day.facts()
        self._schedule_next_fact(facts)
        while self._scheduled:
            self.step()
        for _ in range(self.rng.randrange(200)):
            self.step()
        self.come_to_rest()

    def close(self) -> None:
        for service, engine in self.engines.items():
            self.queues[service].close()
            self.databases.close(engine)
        self.sandbox.close()

    def come_to_rest(self) -> None:
        """No more faults: everything that was accepted must find its end."""
        self.faults.calm()
        self.lossy.down = False
        for rate in ("_lose_reply", "_lose_request", "_refuse", "_conflict"):
            setattr(self.lossy, rate, 0.0)
        for seconds in (0, 30, 200, 400, 2000, 2000, 4000, 4000, 4000):
            self._pass(seconds)
            for _ in range(STEPS_AT_MOST):
                ready = self._ready()
                for service, worker in ready:
                    self._take_turn(service, worker)
                if not ready:
                    break
            else:
                raise AssertionError(f"{ready} do not come to rest")
        while self._everybody():  # whoever our look at the queues has overlooked
            pass

    def _everybody(self) -> int:
        """A turn for each worker, with work or without."""
        turns = [(service, worker) for service in self.engines for worker in self.processes[service].workers]
        return sum(self._take_turn(service, worker) for service, worker in turns)

    def step(self) -> None:
        """One thing that is due, chosen by chance; where nothing is, time goes on."""
        self.steps += 1
        assert self.steps < STEPS_AT_MOST, "the day does not end"
        if self.faults.strikes("jump"):
            self._jump()
        if self.rng.random() < 0.03:
            self.watch()
        due = [one for one in self._scheduled if one[0] <= self.now]
        ready = self._ready()
        if due and self.rng.random() < len(due) / (len(due) + len(ready)):
            chosen = self.rng.choice(due)
            self._scheduled.remove(chosen)
            chosen[2]()
            return
        eager = [one for one in ready if one[1] not in PATIENT]
        if ready and self.rng.random() < (TURNS_OF_PATIENT if eager else TURNS_OF_IDLE):
            self._take_turn(*self.rng.choice(ready))
        elif eager:
            self._take_turn(*self.rng.choice(eager))
        else:
            self._jump()

    def send(self, message: Message) -> None:
        """A partner begins to tell."""
        if message.others_tell and self.faults.strikes("drop"):
            return
        parcel = Parcel(message)
        self.later(self._delay(), lambda: self._deliver(parcel))

    def upload(self, file: File) -> None:
        """Somebody hands a file in, and again until they are told that it is there."""

        def attempt() -> None:
            try:
                with_crashes = self._guarded("gateway", lambda: self._upload(file))
            except ConcordError:
                with_crashes = None
            if with_crashes is None or self.faults.strikes("lose_answer"):
                self.later(self.faults.between(5, 600), attempt)

        self.later(self._delay(), attempt)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        self._count += 1
        self._scheduled.append((self.now + timedelta(seconds=seconds), self._count, action))

    # Processes.

    def start(self, service: str) -> None:
        """A process of the service, from its database alone; the one before it is forgotten."""
        while True:
            self._generation += 1
            owner = f"{service}-{self._generation}"
            try:
                self.processes[service] = getattr(self, f"_new_{service}")(owner, random.Random(f"{self.seed} {owner}"))
                return
            except (Crash, StorageConflict):
                continue  # whoever looks after processes starts it again

    def observe(self, service: str) -> Callable[[str], None]:
        """IncomingEvent of every commit of a service: where it may die, or lose a race."""

        def at(point: str) -> None:
            if point == BEFORE_COMMIT and self.faults.strikes("conflict"):
                raise StorageConflict("played")
            if self.faults.strikes("crash"):
                raise Crash(point)

        return at

    def channel(self, caller: str, callee: str) -> Any:
        return Channel(caller, lambda: self.processes[callee].servicer, lambda work: self._carry(callee, work))

    def _new_gateway(self, owner: str, rng: random.Random) -> Process:
        engine, observe = self.engines["gateway"], self.observe("gateway")
        world = Surroundings(
            new_uow=GatewayUowFactory(engine, observe),
            accounts=self.accounts(),
            ledger=self.gateways_ledger(),
            recon=ReconClient(self.channel("gateway", "recon")),
            api=_Api(self),
            work=WorkContext(self.clock, TransactionIds(self.clock, rng), rng, Tracer(None), owner),
        )
        gateway = assemble_gateway(world, InlineWriter(receiver(world)))
        return Process("gateway", gateway.workers(), gateway=gateway)

    def _new_ledger(self, owner: str, rng: random.Random) -> Process:
        new_uow = self.new_ledgers()
        work = WorkContext(self.clock, TransactionIds(self.clock, rng), rng, Tracer(None), owner)
        ledger = self.adjusted(build_ledger(new_uow, _Masterdata(self), self.odoo(), work, installation="sim"))
        servicer = LedgerServicer(new_uow, InlineWriter(ledger.record), self.clock, Broadcast(), poll_seconds=0.0)
        return Process("ledger", ledger.workers(), servicer)

    def _new_recon(self, owner: str, rng: random.Random) -> Process:
        self._news = True
        recon = build_recon(
            self.engines["recon"],
            self.recons_ledger(),
            WorkContext(self.clock, TransactionIds(self.clock, rng), rng, Tracer(None), owner),
            RECON,
            observe=self.observe("recon"),
            matcher=remembered_match,
        )
        imports = (recon.import_statement, recon.import_settlement_file, recon.import_settlement)
        return Process("recon", recon.workers(), ReconServicer(recon.new_uow, *imports, self.clock))

    # Parts that a mutant puts something else in the place of.

    def accounts(self) -> Accounts:
        return ConfiguredAccounts(SOURCES)

    def gateways_ledger(self) -> EventLedger:
        return EventLedgerClient(self.channel("gateway", "ledger"))

    def recons_ledger(self) -> ReconsLedger:
        return _ReconsLedger(self.channel("recon", "ledger"))

    def new_ledgers(self) -> LedgerUowFactory:
        return LedgerUowFactory(self.engines["ledger"], self.observe("ledger"))

    def adjusted(self, ledger: Ledger) -> Ledger:
        return ledger

    def odoo(self) -> Odoo:
        return _Odoo(self)

    def shows(self, transaction: str) -> bool:
        """Whether Stripe lists the movement already: some it lists later than others that came after."""
        if transaction not in self.shown_at:
            late = self.faults.between(60, 3000) if self.faults.strikes("lag") else 0.0
            self.shown_at[transaction] = self.now + timedelta(seconds=late)
        return self.shown_at[transaction] <= self.now

    def watch(self, limit: int = 5) -> None:
        """A watcher of postings asks for more: what it has seen is its resume token."""
        after = self.watched[-1][0] if self.watched else 0
        with LedgerUowFactory(self.engines["ledger"])(read_only=True) as uow:
            changes = uow.changes.after(COMPANY, EVERYTHING, after, limit)
        self.watched += [(one.number, one.posting.key) for one in changes]

    # Faults around calls.

    def pause(self) -> None:
        """Whoever is at work stands still; time passes and other processes take over, as far as leases let them."""
        if self._paused >= DEEPEST_PAUSE or not self.faults.strikes("pause"):
            return
        self._paused += 1
        running, self._running = self._running, []
        try:
            for service in dict.fromkeys(running):
                self.start(service)
            self._pass(self.rng.choice((30, 200, 200, 2000)))
            for _ in range(self.rng.randint(5, 30)):
                self.step()
        finally:
            self._running = running
            self._paused -= 1

    def _carry(self, callee: str, work: Callable[[], Any]) -> Any:
        """A call to another service."""
        if self.faults.strikes("lose_request"):
            raise ServiceGone("the request was lost")
        self.pause()
        try:
            answer = self._in(callee, work)
        except Crash:
            self.start(callee)
            raise ServiceGone("the callee died") from None
        self.pause()
        if self.faults.strikes("lose_reply"):
            raise ServiceGone("the reply was lost")
        return answer

    def _guarded(self, service: str, work: Callable[[], Any]) -> Any:
        """Run a service's code; if it dies, start it anew. None then, and where it met a passing failure."""
        depth = len(self._running)
        try:
            return self._in(service, work)
        except Crash:
            del self._running[depth:]
            self.start(service)
            return None

    def _in(self, service: str, work: Callable[[], Any]) -> Any:
        self._running.append(service)
        try:
            return work()
        finally:
            self._running.pop()

    def _ready(self) -> list[tuple[str, str]]:
        """Workers that have work, by service and name."""
        found = []
        for service, queues in self.queues.items():
            with_work = queues.with_work(self.now)
            if service == "recon" and self._news:
                with_work.add("watch")
            found += [(service, name) for name in self.processes[service].workers if name in with_work]
        return found

    def _take_turn(self, service: str, worker: str) -> int:
        """One turn; what it did, 0 too where it met a passing failure."""
        if worker == "watch":
            self._news = False
        try:
            done: int = self._guarded(service, self.processes[service].workers[worker]) or 0
        except ConcordError as error:
            self.failures.append(error.reason)
            self._news = self._news or worker == "watch"
            return 0
        if (service, worker) == ("ledger", "seal"):
            self._news = True
        return done

    def _jump(self) -> None:
        """Time goes on: a little, or to the next thing that a partner does."""
        self.lossy.down = self.faults.strikes("outage")
        next_at = min((one[0] for one in self._scheduled), default=self.now)
        ahead = (next_at - self.now).total_seconds()
        if ahead > 0 and self.rng.random() < 0.7:
            self._pass(ahead)
        else:
            self._pass(self.rng.choice((1, 5, 30, 300)))

    def _pass(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # Partners.

    def _schedule_next_fact(self, facts: Any) -> None:
        """Facts happen in their order."""
        found = next(facts, None)
        if found is None:
            return
        at, happen = found

        def tell() -> None:
            for one in happen():
                if isinstance(one, File):
                    self.upload(one)
                else:
                    self.send(one)
            self._schedule_next_fact(facts)

        self.later(max(0.0, (at - self.now).total_seconds()), tell)

    def _deliver(self, parcel: Parcel) -> None:
        message, parcel.tries = parcel.message, parcel.tries + 1
        if self.faults.strikes("lose_delivery"):
            self.later(self.faults.between(5, 3600), lambda: self._deliver(parcel))
            return
        receipt: Receipt | None = None
        try:
            receipt = self._guarded("gateway", lambda: self._receive(message))
        except SignatureRefused:
            assert message.forged, f"{message.title} was refused"
            self.refused += 1
            return
        except StorageConflict:
            pass  # a 503: they try again
        if receipt is not None:
            assert not message.forged, "a forged message was taken"
            self.receipts.setdefault(message.title, set()).add(receipt)
        if receipt is None or self.faults.strikes("lose_answer"):
            self.later(self.faults.between(5, 3600), lambda: self._deliver(parcel))
        elif parcel.again and self.faults.strikes("duplicate"):
            parcel.again = False
            self.later(self.faults.between(0, 7200), lambda: self._deliver(parcel))

    def _receive(self, message: Message) -> Receipt:
        gateway = self.processes["gateway"].gateway
        assert gateway is not None
        return gateway.receive(message.provider, message.account, message.headers(self.now), message.body)

    def _upload(self, file: File) -> Receipt:
        gateway = self.processes["gateway"].gateway
        assert gateway is not None
        source = gateway.world.accounts.find(file.provider, file.account).source
        upload = gateway.upload(1_000_000)
        upload.feed(file.body)
        receipt = gateway.store.call(upload.finish(source, file.name))
        if receipt.duplicate:
            upload.abandon()
        return receipt

    def _delay(self) -> float:
        return self.faults.between(0, 7200) if self.faults.strikes("delay") else self.faults.between(0, 20)


class _Odoo:
    """The sandbox, called directly, by a caller who may stand still before and after."""

    def __init__(self, world: World) -> None:
        self._world = world

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        self._world.pause()
        answer = self._world.lossy.execute(model, method, args, kwargs)
        self._world.pause()
        return answer


def remembered_match(bank: Sequence[BankItem], targets: Sequence[Target]) -> Result:
    """The product's matcher; what it has answered once it need not compute again, since the same books come again and
    again from seed to seed and it is deterministic."""
    found = _matched(tuple(bank), tuple(targets))
    return Result(list(found.pairs), list(found.proposed), list(found.ambiguous), list(found.nearest))


@lru_cache(maxsize=4096)
def _matched(bank: tuple[BankItem, ...], targets: tuple[Target, ...]) -> Result:
    return match(bank, targets)


class _ReconsLedger(LedgerClient):
    """Recon's own client, but for the thread that reads ahead: what there is, is there at once."""

    def read_changes(self, company: str, token: str, limit: int) -> list[LedgerChange]:
        return [to_change(one) for one in itertools.islice(self.watch(company, token), limit)]


class _Masterdata:
    """`MasterdataServiceStub` onto the company's masterdata: it changes nothing that day, but calls get lost."""

    def __init__(self, world: World) -> None:
        channel = Channel("ledger", lambda: world.company.masterdata, lambda work: _lossy(world, work))
        self.BatchResolve = channel.unary_unary("/BatchResolve")
        self.GetRevision = channel.unary_unary("/GetRevision")
        self.GetMappingSet = channel.unary_unary("/GetMappingSet")


def _lossy(world: World, work: Callable[[], Any]) -> Any:
    if world.faults.strikes("lose_request"):
        raise ServiceGone("the request was lost")
    return work()


class _Api:
    """Stripe's API: what has happened so far, if it answers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def fetch(self, source: Source, query: ApiQuery) -> bytes:
        world = self._world
        world.pause()
        if world.faults.strikes("lose_request"):
            raise ApiUnavailable("no answer")
        account = world.day.stripe
        if "payout" not in dict(query.parameters):
            account = replace(account, transactions=[one for one in account.transactions if world.shows(one["id"])])
        stripe = FakeStripe({API_KEY: account})
        status, content = stripe.answer(query.path, query.parameters, f"Bearer {API_KEY}")
        if status is not HTTPStatus.OK:
            raise ApiRefused(f"the API refused ({status})")
        body = json.dumps(content).encode()
        world.pause()
        return body
