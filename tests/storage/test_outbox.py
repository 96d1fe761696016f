from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from libs.events import TransactionIds
from libs.service.work import WorkContext
from libs.storage.engine import reading
from libs.storage.errors import LeaseLost
from libs.storage.outbox import Message, Outbox, PublishFailed, Relay
from libs.storage.sealer import Sealer
from libs.storage.uow import UnitOfWork
from libs.telemetry.trace import Tracer
from tests.storage.fixtures import EngineFor
from tests.storage.sample.storage.rows import TABLES

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SAMPLE = "tests.storage.sample"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Broker:
    """A publisher that keeps what it got, and fails or takes its time when told to."""

    def __init__(self, clock: Clock) -> None:
        self.received: list[str] = []
        self.down = False
        self.takes = timedelta(0)
        self._clock = clock

    def publish(self, messages: Sequence[Message]) -> None:
        if self.down:
            raise PublishFailed("the broker is down")
        self._clock.now += self.takes
        self.received += [message.id for message in messages]


@pytest.fixture
def engine(engine_for: EngineFor) -> Engine:
    return engine_for(SAMPLE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker(clock: Clock) -> Broker:
    return Broker(clock)


def message(name: str, topic: str = "postings") -> Message:
    return Message(name, topic, f"key {name}", "0" * 32, b"\x00\\\xff\"'", NOW, {"traceparent": "00-ab-cd-01"})


def add(engine: Engine, *names: str, topic: str = "postings") -> None:
    with UnitOfWork(engine) as uow:
        Outbox(uow.connection, TABLES).add([message(name, topic) for name in names])
        uow.commit()


def seal(engine: Engine) -> None:
    Sealer(lambda: UnitOfWork(engine), TABLES).run_once()


def read(engine: Engine, number: int, limit: int = 10, topics: Sequence[str] = ()) -> list[tuple[int, str]]:
    with reading(engine) as connection:
        found = Outbox(connection, TABLES).read_after(number, limit, topics=topics)
        return [(each.number, each.message.id) for each in found]


def relay(engine: Engine, broker: Broker, clock: Clock, owner: str = "one", batch: int = 2) -> Relay:
    rng = random.Random(7)
    work = WorkContext(clock, TransactionIds(clock, rng), rng, Tracer(), owner)
    return Relay(lambda: UnitOfWork(engine), TABLES, broker, work, batch=batch)


def test_only_sealed_messages_are_read_from_a_token_on(engine: Engine) -> None:
    add(engine, "a", "b")
    assert read(engine, 0) == []
    seal(engine)
    add(engine, "c", topic="matches")
    seal(engine)
    assert read(engine, 0) == [(1, "a"), (2, "b"), (3, "c")]
    assert read(engine, 1, limit=1) == [(2, "b")]
    assert read(engine, 0, topics=["matches"]) == [(3, "c")]
    with reading(engine) as connection:
        outbox = Outbox(connection, TABLES)
        assert outbox.last_number() == 3
        assert outbox.read_after(0, 1)[0].message == message("a")


def test_a_late_commit_is_after_the_token_of_whoever_read_before(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time, so no commit is late")
    with UnitOfWork(engine) as late:
        Outbox(late.connection, TABLES).add([message("late")])
        add(engine, "early")
        seal(engine)
        assert read(engine, 0) == [(1, "early")]
        late.commit()
    seal(engine)
    assert read(engine, 1) == [(2, "late")]


def test_the_relay_hands_on_everything_once_and_in_order(engine: Engine, broker: Broker, clock: Clock) -> None:
    worker = relay(engine, broker, clock)
    assert worker.run_once() == 0
    add(engine, "a", "b", "c")
    seal(engine)
    assert [worker.run_once() for _ in range(3)] == [2, 1, 0]
    add(engine, "d")
    seal(engine)
    assert relay(engine, broker, clock, "after a restart").run_once() == 1
    assert broker.received == ["a", "b", "c", "d"]


def test_the_relay_waits_longer_after_each_failure_and_loses_nothing(
    engine: Engine, broker: Broker, clock: Clock
) -> None:
    add(engine, "a")
    seal(engine)
    worker = relay(engine, broker, clock)
    broker.down = True
    assert worker.run_once() == 0
    broker.down = False
    assert worker.run_once() == 0, "not before the wait is over"
    clock.now += timedelta(seconds=1)
    assert worker.run_once() == 1
    assert broker.received == ["a"]


def test_two_relays_do_not_run_at_once(engine: Engine, broker: Broker, clock: Clock) -> None:
    class Meanwhile(Broker):
        other: Relay

        def publish(self, messages: Sequence[Message]) -> None:
            assert self.other.run_once() == 0
            super().publish(messages)

    add(engine, "a")
    seal(engine)
    first = Meanwhile(clock)
    first.other = relay(engine, broker, clock, "two")
    assert relay(engine, first, clock).run_once() == 1
    assert (first.received, broker.received) == (["a"], [])


def test_a_relay_that_took_too_long_does_not_move_the_reader(engine: Engine, broker: Broker, clock: Clock) -> None:
    add(engine, "a")
    seal(engine)
    broker.takes = timedelta(seconds=61)
    with pytest.raises(LeaseLost):
        relay(engine, broker, clock).run_once()
    broker.takes = timedelta(0)
    assert relay(engine, broker, clock, "two").run_once() == 1
    assert broker.received == ["a", "a"], "sent again under the same id"
