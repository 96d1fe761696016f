"""The gateway's handlers and workers, put together from their ports: by `main` for a process, by the simulation for
one thread on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from libs.handover import EventLedger
from libs.handover.worker import HandoverWorker
from libs.service.work import WorkContext
from libs.storage.sealer import Sealer
from providers.base import Source

from .domain.delivery import NewDelivery, Receipt
from .domain.source import SourceAccount
from .handlers.poll_source import PollSource
from .handlers.ports import Accounts, ProviderApi, ReconImports
from .handlers.receive import ReceiveDeliveries, prove
from .handlers.upload import Upload
from .storage import TABLES
from .storage.uow import NewUow
from .workers.compose_payout import ComposePayoutWorker
from .workers.forward_file import ForwardFileWorker, UploadJanitor
from .workers.forward_settlement import ForwardSettlementWorker
from .workers.poll import PollWorker
from .workers.translate import TranslateWorker


class DeliveryStore(Protocol):
    """A writer of deliveries: `libs.storage.group_commit`'s, threaded or inline."""

    def call(self, item: NewDelivery) -> Receipt: ...


def uncounted(source: Source, receipt: Receipt) -> None:
    """Where nobody counts what was fetched."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that the gateway needs from outside."""

    new_uow: NewUow
    accounts: Accounts
    ledger: EventLedger
    recon: ReconImports
    api: ProviderApi
    work: WorkContext
    fetched: Callable[[Source, Receipt], object] = uncounted  # told of each answer of an API that was stored


@dataclass(frozen=True, slots=True)
class Gateway:
    """What can be run. Each worker's `run_once` returns how much it did."""

    world: Surroundings
    store: DeliveryStore
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

    def prove(self, account: SourceAccount, headers: Mapping[str, str], body: bytes, link: str) -> NewDelivery:
        return prove(account, headers, body, clock=self.world.work.clock, ids=self.world.work.ids, link=link)

    def upload(self, max_bytes: int) -> Upload:
        """A file on its way in; see `handlers.upload`."""
        return Upload(self.world.new_uow, self.world.work.clock, self.world.work.ids, max_bytes)

    def poll_source(self, *after: Callable[[], object]) -> PollSource:
        world = self.world
        return PollSource(world.new_uow, world.accounts, self.poll.run_once, world.work.clock, after)


def receiver(world: Surroundings) -> ReceiveDeliveries:
    """The function for the writer that `assemble` is given."""
    return ReceiveDeliveries(world.new_uow, world.work.clock, world.work.tracing)


def assemble(world: Surroundings, store: DeliveryStore) -> Gateway:
    """Build everything, and give each polled source its cursor."""
    new_uow, accounts, work = world.new_uow, world.accounts, world.work
    begins = {found.source.interface: found.poll.since for found in accounts.all() if found.poll is not None}
    with new_uow() as uow:
        uow.cursors.ensure(begins, work.clock())
        uow.commit()

    def keep(new: NewDelivery) -> Receipt:
        """Store what a provider's API answered. What partners send is counted where they are answered."""
        receipt = store.call(new)
        world.fetched(new.delivery.source, receipt)
        return receipt

    return Gateway(
        world=world,
        store=store,
        translate=TranslateWorker(new_uow, accounts, work),
        forward=HandoverWorker(new_uow, world.ledger, work, step="forwarded"),
        forward_file=ForwardFileWorker(new_uow, accounts, world.recon, work),
        poll=PollWorker(new_uow, accounts, world.api, keep, work),
        compose=ComposePayoutWorker(new_uow, accounts, world.api, keep, work),
        forward_settlement=ForwardSettlementWorker(new_uow, world.recon, work),
        janitor=UploadJanitor(new_uow, clock=work.clock),
        sealer=Sealer(new_uow, TABLES),
    )
