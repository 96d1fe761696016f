"""Accepting batches of events in the ledger against the same rows written bare (PERFORMANCE, goal 2)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from sqlalchemy import Engine

from libs.access import EVERYTHING
from libs.events import Event, TransactionIds
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig
from libs.rpc.identity import IssuedToken
from libs.rpc.wire import from_event
from libs.storage import private
from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from services.ledger.domain.event import RecordedEvent
from services.ledger.handlers.record_events import IncomingEvent, record_events
from services.ledger.storage.uow import LedgerUowFactory
from tests.bench import limits
from tests.bench.edges import serving
from tests.bench.facts import MORNING, Charges, gross_of
from tests.bench.machine import cpu_seconds
from tests.bench.recorder import KEYS
from tests.bench.scratch import SQLITE, Scratch
from tests.bench.turns import Goal, Measured, Result, Step, Stopwatch, take_turns
from tests.storage.salts import salts_of

CALLER = "services/gateway"
ALL = tuple(table.name for table in limits.WRITTEN)
CALLS_IN_FLIGHT = 4


@dataclass(frozen=True, slots=True)
class Size:
    """Events of a turn, and of a batch."""

    events: int = 3000
    batches: tuple[int, ...] = (100, 1000)
    orm_events: int = 1000


class Suite:
    """A ledger whose clock and ids are seeded, so that two of them write the same rows."""

    def __init__(self, scratch: Scratch, seed: int = 7) -> None:
        self.place = scratch.database("ledger")
        self.engine = open_engine(*self.place)
        upgrade(self.engine, "services.ledger")
        self._now = MORNING
        self._new_uow = LedgerUowFactory(self.engine)
        self._ids = TransactionIds(self.clock, random.Random(seed))
        self._salts = salts_of(seed)

    def clock(self) -> datetime:
        return self._now

    def record(self, batches: Iterable[Sequence[Event]]) -> None:
        """Accept each batch in one commit; every answer must be a new event's."""
        private.new_salt = self._salts
        for batch in batches:
            self._now += timedelta(milliseconds=1)
            answers = record_events(
                [IncomingEvent(event, CALLER) for event in batch], self._new_uow, self.clock, self._ids
            )
            assert all(isinstance(one, RecordedEvent) and not one.duplicate for one in answers)

    def again(self, batches: Iterable[Sequence[Event]]) -> None:
        """Every answer must be the first one's repeat."""
        for batch in batches:
            answers = record_events(
                [IncomingEvent(event, CALLER) for event in batch], self._new_uow, self.clock, self._ids
            )
            assert all(isinstance(one, RecordedEvent) and one.duplicate for one in answers)


def run(scratch: Scratch, turns: int, size: Size | None = None) -> Result:
    """The whole workload on one database."""
    size = size or Size()
    limit = "executemany" if scratch.kind == SQLITE else "COPY"
    result = Result(
        f"accept-{scratch.kind}",
        f"Card charges (one event, four references, one audit entry, its share of the totals) into the ledger on "
        f"{scratch.title}: validated, chained, answered one by one, each only once. The limit is {limit} of the very "
        "same finished rows, one commit a batch of the same size.",
    )
    with ExitStack() as stack:
        lanes = [_Lane(scratch, stack, batch, size, turns) for batch in size.batches]
        steps = {f"{name}_{lane.batch}": step for lane in lanes for name, step in lane.steps().items()}
        result.turns = take_turns(turns, steps, scratch.folder)
        for lane in lanes:
            lane.check(scratch)
    for batch in size.batches:
        _figures(result, batch, scratch.kind, limit)
    counted = (turns + 1) * size.events
    result.checks.append(f"the suite's tables and the limit's hold the same rows: {counted:,} events a batch size")
    result.checks.append("every event sent again is answered as a duplicate, and no row is added")
    result.checks.append("the totals equal the events' count and money; the audit chains verify")
    if scratch.kind != SQLITE:
        result.notes.append("the server's own CPU is in the rates, not in the CPU figures")
    return result


class _Lane:
    """One size of batch: a suite, its limits, and the rows that they write."""

    def __init__(self, scratch: Scratch, stack: ExitStack, batch: int, size: Size, turns: int) -> None:
        self.batch = batch
        self._size = size
        self._turns = turns
        charges = Charges()
        numbers = range(0, (turns + 1) * size.events, size.events)
        self._events = [_parts(charges.events(first, size.events), batch) for first in numbers]
        self._rows = self._finished(scratch)
        self._suite = Suite(scratch)
        stack.callback(self._suite.engine.dispose)
        self._limit, self.limit_place = _limit(scratch, stack)
        self._event_limit, _ = _limit(scratch, stack)
        self._orm = Suite(scratch).engine
        stack.callback(self._orm.dispose)
        self._orm_rows = [limits.orm_values(self._orm, part[: _count(size, batch)]) for part in self._rows]
        self._encoded: list[Any] = []
        if isinstance(self._limit, limits.PostgresLimit):
            self._encoded_limit, _ = _limit(scratch, stack)
            self._encoded = [self._limit.encoded(part, ALL) for part in self._rows]
        self._rpc = _Rpc(scratch, stack, self._events)

    def _finished(self, scratch: Scratch) -> list[list[limits.Batch]]:
        """What a ledger of the same seed writes for these events."""
        first = Suite(scratch)
        for part in self._events:
            first.record(part)
        first.engine.dispose()
        names = [[event.name for event in batch] for part in self._events for batch in part]
        batches = iter(limits.read_batches(scratch, *first.place, names))
        return [[next(batches) for _ in part] for part in self._events]

    def steps(self) -> dict[str, Step]:
        steps = {
            "suite": self._timed(lambda turn: self._suite.record(self._events[turn])),
            "limit": self._timed(lambda turn: self._limit.write(self._rows[turn], ALL)),
            "event_limit": self._timed(lambda turn: self._event_limit.write(self._rows[turn], ("event",))),
            "orm": self._timed(
                lambda turn: limits.write_by_orm(self._orm, self._orm_rows[turn]),
                events=_count(self._size, self.batch) * self.batch,
            ),
            "rpc": lambda turn: self._rpc.send(turn, self._size.events),
        }
        if self._encoded:
            limit: Any = self._encoded_limit
            steps["encoded"] = self._timed(lambda turn: limit.write_encoded(self._encoded[turn]))
        return steps

    def check(self, scratch: Scratch) -> None:
        """Nothing was lost, doubled or changed on the way to either side."""
        events = [event for part in self._events for batch in part for event in batch]
        for table in ALL:
            columns = ", ".join(f'"{column}"' for column in limits.COLUMNS[table])
            statement = f"SELECT {columns} FROM {table} ORDER BY {columns}"
            ours = scratch.rows(*self._suite.place, statement)
            assert ours == scratch.rows(*self.limit_place, statement), f"{table} differs"
        self._suite.again(batch for part in self._events for batch in part)
        assert scratch.rows(*self._suite.place, "SELECT count(*) FROM event")[0][0] == len(events)
        with LedgerUowFactory(self._suite.engine)(read_only=True) as uow:
            totals = uow.trail.totals("acme", EVERYTHING)
        assert sum(one.count for one in totals) == len(events)
        assert sum(one.minor_units for one in totals) == gross_of(events)
        verify(self._suite.engine)
        self._rpc.check(scratch, events)

    def _timed(self, work: Callable[[int], None], events: int | None = None) -> Step:
        count = events or self._size.events

        def step(turn: int) -> Measured:
            with Stopwatch() as watch:
                work(turn)
            return {"per_second": count / watch.seconds, "cpu_us": watch.cpu_seconds / count * 1e6}

        return step


class _Rpc:
    """`BatchRecordEvents` of a ledger in another process, a few calls in flight."""

    def __init__(self, scratch: Scratch, stack: ExitStack, events: Sequence[Sequence[Sequence[Event]]]) -> None:
        self.place = scratch.database("ledger")
        url, schema = self.place
        process, ready = stack.enter_context(serving("tests.bench.recorder", url=url, schema=schema))
        self._pid = process.pid
        channel = open_channel(
            f"127.0.0.1:{ready['port']}", ChannelConfig(), IssuedToken(KEYS, "gateway", ("gateway",), EVERYTHING)
        )
        stack.callback(channel.close)
        self._stub = ledger_pb2_grpc.LedgerServiceStub(channel)
        self._requests = [[_request(batch) for batch in part] for part in events]
        self._pool = stack.enter_context(ThreadPoolExecutor(CALLS_IN_FLIGHT))

    def send(self, turn: int, count: int) -> Measured:
        before = cpu_seconds([self._pid])
        with Stopwatch() as watch:
            answers = list(self._pool.map(self._stub.BatchRecordEvents, self._requests[turn]))
        results = [one for answer in answers for one in answer.results]
        assert len(results) == count
        assert all(one.HasField("recorded") and not one.recorded.duplicate for one in results)
        return {"per_second": count / watch.seconds, "server_cpu_us": (cpu_seconds([self._pid]) - before) / count * 1e6}

    def check(self, scratch: Scratch, events: Sequence[Event]) -> None:
        rows = scratch.rows(*self.place, "SELECT name, digest FROM event")
        assert {row[0] for row in rows} == {event.name for event in events}


def verify(engine: Engine) -> None:
    """Compute every hash again."""
    from libs.storage.engine import reading
    from libs.storage.verification import verify as verify_all
    from services.ledger.storage import PROOFS

    with reading(engine) as connection:
        found = verify_all(connection, PROOFS)
    assert not found.faults
    assert found.entries


def _figures(result: Result, batch: int, kind: str, limit: str) -> None:
    goal = Goal("≥ 0.6", at_least=0.6) if kind == SQLITE else Goal("≥ 0.5", at_least=0.5)
    suite, orm, rpc = f"suite_{batch}", f"orm_{batch}", f"rpc_{batch}"
    result.ratio(f"÷ {limit} of the same rows, {batch} a commit", suite, f"limit_{batch}", goal=goal)
    result.ratio(f"÷ {limit} of the event rows alone, {batch} a commit", suite, f"event_limit_{batch}")
    if kind != SQLITE:
        result.ratio(f"÷ COPY of rows encoded beforehand, {batch} a commit", suite, f"encoded_{batch}")
    result.ratio(f"÷ SQLModel add_all, {batch} a commit", suite, orm, goal=Goal("≥ 5", at_least=5.0))
    result.ratio(f"by BatchRecordEvents ÷ {limit}, calls of {batch}", rpc, f"limit_{batch}")
    result.each(f"rate, {batch} a commit", "/s", suite, "per_second")
    result.each(f"rate by BatchRecordEvents, calls of {batch}", "/s", rpc, "per_second")
    result.each(f"our CPU an event, {batch} a commit", "µs", suite, "cpu_us")
    result.each(f"the limit's CPU an event, {batch} a commit", "µs", f"limit_{batch}", "cpu_us")
    result.each(f"the ledger's CPU an event by BatchRecordEvents, calls of {batch}", "µs", rpc, "server_cpu_us")


def _limit(scratch: Scratch, stack: ExitStack) -> tuple[limits.SqliteLimit | limits.PostgresLimit, tuple[str, str]]:
    """A limit on a migrated, empty database of its own."""
    place = scratch.database("ledger")
    engine = open_engine(*place)
    upgrade(engine, "services.ledger")
    engine.dispose()
    limit = limits.limit_for(scratch, *place)
    stack.callback(limit.close)
    return limit, place


def _parts(events: Sequence[Event], batch: int) -> list[Sequence[Event]]:
    return [events[start : start + batch] for start in range(0, len(events), batch)]


def _count(size: Size, batch: int) -> int:
    return max(1, size.orm_events // batch)


def _request(batch: Sequence[Event]) -> ledger_pb2.BatchRecordEventsRequest:
    return ledger_pb2.BatchRecordEventsRequest(events=[from_event(event) for event in batch])


__all__ = ["Size", "run"]
