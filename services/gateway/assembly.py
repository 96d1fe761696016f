"""The gateway's handlers and workers, put together from their ports: by `main` for a process, by the simulation for
one thread on a virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from libs.events import Clock, IdSource
from libs.handover import EventLedger
from libs.handover.worker import HandoverWorker
from libs.service.work import Tracing, WorkContext
from libs.storage.sealer import Sealer
from providers.base import Source

from .domain.delivery import Receipt
from .handlers.poll_source import PollSource
from .handlers.ports import (
    Account,
    Accounts,
    Fetched,
    NewDelivery,
    ProviderApi,
    PutBack,
    Recon,
    SetAside,
    uncounted,
    unobserved,
)
from .handlers.receive import ReceiveDeliveries, prove
from .handlers.upload import Upload
from .storage import TABLES, GatewayUnitOfWork
from .workers.forward_file import ForwardFileWorker, UploadJanitor
from .workers.poll import PollWorker
from .workers.settle_payout import ComposePayoutWorker, ForwardSettlementWorker
from .workers.translate import TranslateWorker

NewGatewayUnitOfWork = Callable[[], GatewayUnitOfWork]


class Store(Protocol):
    """A writer of deliveries: `libs.storage.group_commit`'s, threaded or inline."""

    def call(self, item: NewDelivery) -> Receipt: ...


@dataclass(frozen=True, slots=True)
class World:
    """All that the gateway needs from outside."""

    new_uow: NewGatewayUnitOfWork
    accounts: Accounts
    ledger: EventLedger
    recon: Recon
    api: ProviderApi
    clock: Clock
    ids: IdSource
    rng: random.Random
    tracing: Tracing
    owner: str = "gateway"
    set_aside: SetAside = unobserved
    put_back: PutBack = unobserved
    fetched: Fetched = uncounted


@dataclass(frozen=True, slots=True)
class Gateway:
    """What can be run. Each worker's `run_once` returns how much it did."""

    world: World
    store: Store
    translate: TranslateWorker
    forward: HandoverWorker
    forward_file: ForwardFileWorker
    poll: PollWorker
    compose: ComposePayoutWorker
    forward_settlement: ForwardSettlementWorker
    janitor: UploadJanitor
    sealer: Sealer

    def workers(self) -> dict[str, Callable[[], int]]:
        """By name, in the order of the walk."""
        return {
            "poll": self.poll.run_once,
            "translate": self.translate.run_once,
            "forward": self.forward.run_once,
            "forward-file": self.forward_file.run_once,
            "compose-payout": self.compose.run_once,
            "forward-settlement": self.forward_settlement.run_once,
            "janitor": self.janitor.run_once,
            "sealer": self.sealer.run_once,
        }

    def receive(self, provider: str, account: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """A webhook, synchronously: proved, stored, answered. Header names in lower case."""
        found = self.world.accounts.find(provider, account)
        return self.store.call(self.prove(found, headers, body, headers.get("traceparent", "")))

    def prove(self, account: Account, headers: Mapping[str, str], body: bytes, link: str) -> NewDelivery:
        return prove(account, headers, body, clock=self.world.clock, ids=self.world.ids, link=link)

    def upload(self, max_bytes: int) -> Upload:
        """A file on its way in; see `handlers.upload`."""
        return Upload(self.world.new_uow, self.world.clock, self.world.ids, max_bytes)

    def poll_source(self, *after: Callable[[], object]) -> PollSource:
        world = self.world
        return PollSource(world.new_uow, world.accounts, self.poll.run_once, world.clock, after)


class _Observer:
    """The world's callbacks as a `WorkObserver`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def retried(self, company: str, interface: str, reason: str) -> None:
        self._world.put_back(_source(company, interface), reason)

    def set_aside(self, company: str, interface: str, reason: str) -> None:
        self._world.set_aside(_source(company, interface), reason)


def _source(company: str, interface: str) -> Source:
    provider, _, account = interface.partition("/")
    return Source(provider, account, company)


def receiver(world: World) -> ReceiveDeliveries:
    """The function for the writer that `assemble` is given."""
    return ReceiveDeliveries(world.new_uow, world.clock, world.tracing)


def assemble(world: World, store: Store) -> Gateway:
    """Build everything, and give each polled source its cursor."""
    begins = {one.source.interface: one.poll.since for one in world.accounts.all() if one.poll is not None}
    with world.new_uow() as uow:
        uow.cursors.ensure(begins, world.clock())
        uow.commit()
    new_uow, accounts, recon = world.new_uow, world.accounts, world.recon
    clock, ids, rng, tracing, owner = world.clock, world.ids, world.rng, world.tracing, world.owner
    aside, back = world.set_aside, world.put_back
    work = WorkContext(clock, ids, rng, tracing, owner, _Observer(world))

    def keep(new: NewDelivery) -> Receipt:
        """Store what a provider's API answered. What partners send is counted where they are answered."""
        receipt = store.call(new)
        world.fetched(new.delivery.source, receipt)
        return receipt

    return Gateway(
        world=world,
        store=store,
        translate=TranslateWorker(
            new_uow, accounts, clock=clock, ids=ids, tracing=tracing, owner=owner, set_aside=aside
        ),
        forward=HandoverWorker(new_uow, world.ledger, work, step="forwarded"),
        forward_file=ForwardFileWorker(
            new_uow, accounts, recon, clock=clock, rng=rng, tracing=tracing, owner=owner, set_aside=aside, put_back=back
        ),
        poll=PollWorker(new_uow, accounts, world.api, keep, clock=clock, ids=ids, rng=rng, owner=owner, put_back=back),
        compose=ComposePayoutWorker(
            new_uow,
            accounts,
            world.api,
            keep,
            clock=clock,
            ids=ids,
            rng=rng,
            owner=owner,
            set_aside=aside,
            put_back=back,
        ),
        forward_settlement=ForwardSettlementWorker(
            new_uow, recon, clock=clock, rng=rng, tracing=tracing, owner=owner, set_aside=aside, put_back=back
        ),
        janitor=UploadJanitor(new_uow, clock=clock),
        sealer=Sealer(new_uow, TABLES),
    )
