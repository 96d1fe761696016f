"""Suites with one fault built in each: what the simulation must find out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from libs.errors import ConcordError
from libs.errors.retry import RetryPolicy
from libs.events import Event
from libs.handover import EventLedger, NotRecorded, Recorded
from libs.odoo.errors import OdooConflict, OdooMissing, OdooRefused
from libs.odoo.port import Json, Odoo
from providers.base import Delivery, Translation
from providers.stripe import Stripe
from services.gateway.accounts import ConfiguredAccounts
from services.gateway.domain.delivery import Receipt
from services.gateway.domain.source import SourceAccount
from services.gateway.handlers.ports import Accounts
from services.ledger.assembly import Ledger
from services.ledger.domain.posting import Change, Posting
from services.ledger.storage.postings import Postings
from services.ledger.storage.stories import StoryReader
from services.ledger.storage.uow import LedgerUow, LedgerUowFactory
from services.recon.domain.match import Match
from services.recon.handlers.ports import AppliedState, LedgerAnswer, LedgerChange
from services.recon.handlers.ports import ReconLedger as ReconsLedger
from tests.simulation.day import Message
from tests.simulation.faults import Crash
from tests.simulation.world import POLL, SOURCES, World


class DropsAnEvent(World):
    """The gateway says that it has handed on an event that it has not."""

    def gateways_ledger(self) -> EventLedger:
        return _Dropping(super().gateways_ledger(), lambda event: event.name.endswith("/txn_ch_C"))


class BelievesLostCalls(World):
    """A call to the ledger that came to nothing counts as done."""

    def gateways_ledger(self) -> EventLedger:
        return _Believing(super().gateways_ledger())


class KeepsEventsInMemory(World):
    """What is to be handed on waits in memory until the next call, as if a process never died."""

    def gateways_ledger(self) -> EventLedger:
        return _Buffering(super().gateways_ledger())


class AnswersBeforeItStores(World):
    """The partner gets a 202 although the process died before the commit."""

    def _receive(self, message: Message) -> Receipt:
        try:
            return super()._receive(message)
        except Crash:
            self.start("gateway")
            return Receipt("lost", "0" * 32, False)


class KnowsDeliveriesOnly(World):
    """The same fact in another delivery is another event."""

    def accounts(self) -> Accounts:
        stripe = _ByDelivery(SOURCES[0].secrets)
        return _Accounts(lambda one: replace(one, provider=stripe) if isinstance(one.provider, Stripe) else one)


class PollsWithoutOverlap(World):
    """What the provider lists late is behind the cursor by then."""

    def accounts(self) -> Accounts:
        plan = replace(POLL, overlap_seconds=0)
        return _Accounts(lambda account: replace(account, poll=plan if account.poll else None))


class RetriesBlindly(World):
    """A document is sent again under another external id, and never looked for."""

    def odoo(self) -> Odoo:
        return _Blind(super().odoo(), fresh_keys=True)


class LoadsLinesWithoutIds(World):
    """A draft that is loaded again, since nobody looks for it, has its lines twice."""

    def odoo(self) -> Odoo:
        return _Blind(super().odoo(), line_ids=False)


class TakesConflictsForRefusals(World):
    """A concurrent change in Odoo is taken for a no."""

    def odoo(self) -> Odoo:
        return _Refusing(super().odoo())


class GivesUpSoon(World):
    """A short outage of Odoo spends the budget."""

    def adjusted(self, ledger: Ledger) -> Ledger:
        return replace(ledger, post=replace(ledger.post, retry=RetryPolicy(max_attempts=2)))


class IgnoresLeases(World):
    """A worker writes whether its claim is still its own or not."""

    def new_ledgers(self) -> LedgerUowFactory:
        return _Opened(super().new_ledgers(), self, _unfenced)


class WakesNobody(World):
    """What arrives does not wake those who wait for it."""

    def new_ledgers(self) -> LedgerUowFactory:
        return _Opened(super().new_ledgers(), self, _sleeping)


class BelievesLostMatches(World):
    """A match whose call came to nothing counts as written."""

    def recons_ledger(self) -> ReconsLedger:
        return _BelievingMatches(super().recons_ledger())


class KeepsItsPlaceInMemory(World):
    """Recon goes on from what it has read, whether it was stored or not."""

    def recons_ledger(self) -> ReconsLedger:
        return _Remembering(super().recons_ledger())


@dataclass(frozen=True, slots=True)
class _Dropping:
    ledger: EventLedger
    is_dropped: Callable[[Event], bool]

    def record(self, events: Sequence[Event]) -> list[Recorded | NotRecorded]:
        answers = iter(self.ledger.record([one for one in events if not self.is_dropped(one)]))
        return [
            Recorded(one.transaction_id, duplicate=False) if self.is_dropped(one) else next(answers) for one in events
        ]


@dataclass(frozen=True, slots=True)
class _Believing:
    ledger: EventLedger

    def record(self, events: Sequence[Event]) -> list[Recorded | NotRecorded]:
        try:
            return self.ledger.record(events)
        except ConcordError:
            return [Recorded(one.transaction_id, duplicate=False) for one in events]


class _Buffering:
    def __init__(self, ledger: EventLedger) -> None:
        self._ledger = ledger
        self._waiting: list[Event] = []

    def record(self, events: Sequence[Event]) -> list[Recorded | NotRecorded]:
        before, self._waiting = self._waiting, list(events)
        if before:
            self._ledger.record(before)
        return [Recorded(one.transaction_id, duplicate=False) for one in events]


class _Accounts:
    """The configured sources, each changed."""

    def __init__(self, change: Callable[[SourceAccount], SourceAccount]) -> None:
        self._accounts = ConfiguredAccounts(SOURCES)
        self._change = change

    def find(self, provider: str, account: str) -> SourceAccount:
        return self._change(self._accounts.find(provider, account))

    def all(self) -> Sequence[SourceAccount]:
        return [self._change(one) for one in self._accounts.all()]


class _ByDelivery(Stripe):
    """Names each event after its delivery too."""

    def translate(self, delivery: Delivery) -> Translation:
        found = super().translate(delivery)
        mark = delivery.sha256[:8]
        events = (replace(one, name=f"{one.name}-{mark}", object_id=f"{one.object_id}-{mark}") for one in found.events)
        return replace(found, events=tuple(events))


class _Blind:
    """Finds nothing in Odoo; loads under fresh external ids, or without ids on the lines."""

    def __init__(self, odoo: Odoo, *, fresh_keys: bool = False, line_ids: bool = True) -> None:
        self._odoo = odoo
        self._fresh_keys = fresh_keys
        self._line_ids = line_ids
        self._numbers = itertools.count()

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        if method == "check_object_reference":
            raise OdooMissing("ValueError")
        if method == "get_external_id":
            return {}
        if method == "load":
            args = self._changed(*args)
        return self._odoo.execute(model, method, args, kwargs)

    def _changed(self, columns: list[str], rows: list[list[str]]) -> list[Json]:
        kept = [at for at, name in enumerate(columns) if self._line_ids or not name.endswith("line_ids/id")]
        mark = f"_{next(self._numbers)}" if self._fresh_keys else ""
        marked = {at for at, name in enumerate(columns) if name.rpartition("/")[2] == "id"}
        changed = [[row[at] + mark if at in marked and row[at] else row[at] for at in kept] for row in rows]
        return [[columns[at] for at in kept], changed]


class _Refusing:
    def __init__(self, odoo: Odoo) -> None:
        self._odoo = odoo

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        try:
            return self._odoo.execute(model, method, args, kwargs)
        except OdooConflict as error:
            raise OdooRefused("odoo.exceptions.UserError", error.message) from None


class _Opened(LedgerUowFactory):
    """LedgerUowFactory whose repositories are changed when they are opened."""

    def __init__(self, ledgers: LedgerUowFactory, world: World, change: Callable[[LedgerUow], None]) -> None:
        super().__init__(world.engines["ledger"], world.observe("ledger"))
        self._change = change

    def __call__(self, *, read_only: bool = False) -> LedgerUow:
        made = super().__call__(read_only=read_only)
        opened = made.opened

        def changed() -> None:
            opened()
            self._change(made)

        made.opened = changed  # type: ignore[method-assign]
        return made


def _unfenced(uow: LedgerUow) -> None:
    uow.postings.__class__ = _Unfenced


def _sleeping(uow: LedgerUow) -> None:
    uow.stories.__class__ = _Sleeping


class _Unfenced(Postings):
    """Changes what it finds, whoever holds it."""

    def apply(self, changes: Sequence[Change], now: datetime) -> set[str]:
        held = self.find([one.before.key for one in changes if not one.is_new])
        taken = [
            replace(one, before=replace(one.before, claim=known.claim, version=known.version))
            if (known := held.get(one.before.key))
            else one
            for one in changes
        ]
        return super().apply(taken, now)

    def renew(self, postings: Sequence[Posting], *, now: datetime, lease_seconds: float) -> list[Posting]:
        super().renew(postings, now=now, lease_seconds=lease_seconds)
        return list(postings)


class _Sleeping(StoryReader):
    def wake(self, company: str, events: Sequence[str], now: datetime) -> None:
        """Wakes nobody."""


class _Relaying:
    """Recon's ledger, as it is."""

    def __init__(self, ledger: ReconsLedger) -> None:
        self._ledger = ledger

    def record(self, events: Sequence[Event]) -> Any:
        return self._ledger.record(events)

    def read_changes(self, company: str, token: str, limit: int) -> list[LedgerChange]:
        return self._ledger.read_changes(company, token, limit)

    def apply_match(self, match: Match) -> LedgerAnswer:
        return self._ledger.apply_match(match)


class _BelievingMatches(_Relaying):
    def apply_match(self, match: Match) -> LedgerAnswer:
        try:
            return super().apply_match(match)
        except ConcordError:
            return LedgerAnswer(AppliedState.WRITTEN)


class _Remembering(_Relaying):
    def __init__(self, ledger: ReconsLedger) -> None:
        super().__init__(ledger)
        self._place = ""

    def read_changes(self, company: str, token: str, limit: int) -> list[LedgerChange]:
        found = super().read_changes(company, self._place or token, limit)
        self._place = found[-1].token if found else self._place
        return found
