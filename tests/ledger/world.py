"""A ledger in a test: a database, a clock that is moved by hand, and masterdata that can fail."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from libs.access import EVERYTHING
from libs.errors import ConcordError, Kind
from libs.events import Event, TransactionIds
from libs.service.work import WorkContext
from libs.telemetry.trace import Tracer
from services.ledger.domain import master
from services.ledger.domain.errors import EventRefused
from services.ledger.domain.event import RecordedEvent
from services.ledger.domain.posting import Change, Posting
from services.ledger.domain.states import PostingState
from services.ledger.handlers.record_events import IncomingEvent, record_events
from services.ledger.storage.uow import LedgerUow, LedgerUowFactory
from services.ledger.workers.build import BuildWorker
from tests.ledger.domain import books

MORNING = datetime(2026, 3, 15, 9, tzinfo=UTC)
MAKER = "services/gateway"
MAPPER = "people/mia"  # who made the mapping


class MasterdataDown(ConcordError):
    kind = Kind.RETRY
    reason = "SERVICE_UNAVAILABLE"


class FakeMasterdata:
    """Answers from the books of the domain's tests; `down` makes it fail, `unknown` makes it not know a kind."""

    def __init__(self) -> None:
        self.down = False
        self.company = books.COMPANY
        self.unknown: set[type] = set()
        self.revision = 1
        self.asked: list[tuple[str, tuple[master.Ref, ...]]] = []
        self.meanwhile: Callable[[], None] = lambda: None  # happens while it answers

    def resolve(self, company: str, refs: Sequence[master.Ref]) -> master.Masters:
        self.asked.append((company, tuple(refs)))
        if self.down:
            raise MasterdataDown("no answer")
        if len(refs) > 1:
            self.meanwhile()
        targets = {ref: self._answer(ref) for ref in refs}
        return master.Masters(targets, self.revision, "companies/acme/mappingSets/1", MAPPER)

    def _answer(self, ref: master.Ref) -> master.Target:
        if isinstance(ref, master.CompanyWord):
            return self.company
        if type(ref) in self.unknown:
            return master.Unresolved("MAPPING_MISSING", "not in the mapping")
        return books.answer(ref)


class World:
    """One ledger. What a test does to it stands in one line."""

    def __init__(self, engine: Engine, seed: int = 1) -> None:
        self.engine = engine
        self.now = MORNING
        self.rng = random.Random(seed)
        self.ids = TransactionIds(self.clock, self.rng)
        self.masterdata = FakeMasterdata()
        self.woken: list[str] = []
        self.new_uow = LedgerUowFactory(engine, listen=lambda committed: self.woken.extend(sorted(committed.queues)))
        self.builder = self.new_builder("builder-1")

    def clock(self) -> datetime:
        return self.now

    def as_worker(self, owner: str) -> WorkContext:
        return WorkContext(self.clock, self.ids, self.rng, Tracer(None), owner)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def new_builder(self, owner: str, **config: Any) -> BuildWorker:
        return BuildWorker(self.new_uow, self.masterdata, self.as_worker(owner), **config)

    def record(self, *events: Event, by: str = MAKER) -> list[RecordedEvent | EventRefused]:
        return record_events(
            [IncomingEvent(event, by, scope=EVERYTHING) for event in events], self.new_uow, self.clock, self.ids
        )

    def build(self, *events: Event) -> list[Posting]:
        """Record, build all that is due, and give the events' postings."""
        self.record(*events)
        while self.builder.run_once():
            pass
        return self.postings(*events)

    def reading(self) -> LedgerUow:
        return self.new_uow(read_only=True)

    def postings(self, *events: Event) -> list[Posting]:
        with self.reading() as uow:
            found = uow.postings.of_events([event.name for event in events])
        return [posting for event in events for posting in found.get(event.name, [])]

    def event(self, event: Event) -> RecordedEvent:
        with self.reading() as uow:
            return uow.events.get(event.name, EVERYTHING)

    def buckets(self) -> dict[str, int]:
        """Events by bucket, whatever the interface."""
        with self.reading() as uow:
            totals = uow.trail.totals("acme", EVERYTHING)
        found: dict[str, int] = {}
        for one in totals:
            if one.count:
                found[one.bucket] = found.get(one.bucket, 0) + one.count
        return found

    def reasons(self) -> list[str]:
        """Of the open exception cases."""
        with self.reading() as uow:
            return [
                one.doubt.reason
                for one in uow.cases.page("acme", None, EVERYTHING, 100, None)
                if one.resolved_at is None
            ]

    def post(self, *keys: str) -> None:
        """Play the worker that posts: everything due, or the given keys, becomes POSTED."""
        with self.new_uow() as uow:
            claimed = uow.postings.claim_to_post("acme", limit=100, owner="poster", now=self.now, lease_seconds=60)
            wanted = [one for one in claimed if not keys or one.key in keys]
            uow.postings.apply([Change(one, posted(one, self.now), "poster") for one in wanted], self.now)
            for one in claimed:
                if one not in wanted:
                    back = replace(one, state=PostingState.READY)
                    uow.postings.apply([Change(one, back, "poster")], self.now)
            uow.commit()


def posted(posting: Posting, now: datetime) -> Posting:
    number = sum(map(ord, posting.key))
    return replace(
        posting,
        state=PostingState.POSTED,
        odoo_id=number,
        odoo_model="account.move",
        odoo_number=f"MISC/{number}",
        posted_date="2026-03-14",
        posted_at=now,
    )
