from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from libs.storage.engine import open_engine, reading
from libs.storage.errors import StorageUnavailable, WriterClosed, WriterFull
from libs.storage.group_commit import GroupCommitWriter, InlineWriter, Writer
from libs.storage.migrate import upgrade
from tests.storage.fixtures import database_for, drop
from tests.storage.sample.storage.rows import NOTE

SAMPLE = "tests.storage.sample"
ROOT = Path(__file__).parents[2]


class Store:
    """Answers each item with its double; keeps the batches. Items below zero fail, `gate` holds up every commit."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.gone = False

    def commit(self, items: list[int]) -> list[int]:
        self.entered.set()
        assert self.gate.wait(60)
        if self.gone:
            self.batches.append(items)
            raise StorageUnavailable("gone")
        if any(item < 0 for item in items):
            raise ValueError("below zero")
        self.batches.append(items)
        return [item * 2 for item in items]


@contextmanager
def held(store: Store, writer: GroupCommitWriter[int, int]) -> Iterator[Future[int]]:
    """The writer is in the middle of a commit of the item 0, and all else waits."""
    store.gate.clear()
    store.entered.clear()
    first = writer.submit(0)
    assert store.entered.wait(60)
    yield first
    store.gate.set()


def grouped(store: Store) -> Writer[int, int]:
    return GroupCommitWriter(store.commit)


def inline(store: Store) -> Writer[int, int]:
    return InlineWriter(store.commit)


@pytest.mark.parametrize("make", [grouped, inline])
def test_both_writers_answer_each_item(make: Callable[[Store], Writer[int, int]]) -> None:
    writer = make(Store())
    assert writer.submit(1).result(10) == 2
    assert writer.call(2) == 4
    assert asyncio.run(writer.call_async(3)) == 6
    assert writer.submit_many([4, 5]).result(10) == [8, 10]
    assert writer.submit_many([]).result(10) == []
    with pytest.raises(ValueError, match="below zero"):
        writer.call(-1)
    answers = writer.submit_many([1, -1, 3]).result(10)
    assert (answers[0], str(answers[1]), answers[2]) == (2, "below zero", 6)
    writer.close()


def test_what_waits_during_a_commit_goes_into_the_next_one() -> None:
    store = Store()
    with GroupCommitWriter(store.commit) as writer:
        with held(store, writer):
            futures = [writer.submit(number) for number in (1, 2, 3)]
            many = writer.submit_many([4, 5])
            assert writer.waiting == 5
        assert [future.result(10) for future in futures] == [2, 4, 6]
        assert many.result(10) == [8, 10]
    assert store.batches == [[0], [1, 2, 3, 4, 5]]


def test_a_batch_keeps_to_its_size() -> None:
    store = Store()
    with GroupCommitWriter(store.commit, max_batch=2) as writer, held(store, writer):
        for number in (1, 2, 3):
            writer.submit(number)
        writer.submit_many([4, 5, 6])  # one submission stays together
    assert store.batches == [[0], [1, 2], [3], [4, 5, 6]]


def test_one_bad_item_costs_only_its_own_caller() -> None:
    store = Store()
    with GroupCommitWriter(store.commit) as writer:
        with held(store, writer):
            futures = [writer.submit(number) for number in (1, -1, 3)]
        assert (futures[0].result(10), futures[2].result(10)) == (2, 6)
        with pytest.raises(ValueError, match="below zero"):
            futures[1].result(10)
        assert writer.call(4) == 8


def test_when_the_database_is_gone_the_group_is_not_tried_one_by_one() -> None:
    store = Store()
    with GroupCommitWriter(store.commit) as writer:
        with held(store, writer):
            store.gone = True
            futures = [writer.submit(number) for number in range(100)]
        for future in futures:
            with pytest.raises(StorageUnavailable):
                future.result(10)
    assert len(store.batches) == 1 + 2  # the held one, the group, and its first item


def test_more_than_may_wait_is_refused_at_once_and_whole() -> None:
    store = Store()
    with GroupCommitWriter(store.commit, max_waiting=3) as writer:
        with held(store, writer):
            kept = writer.submit_many([1, 2])
            with pytest.raises(WriterFull):
                writer.submit_many([3, 4])
            last = writer.submit(5)
            with pytest.raises(WriterFull):
                writer.submit(6)
        assert (kept.result(10), last.result(10)) == ([2, 4], 10)
        assert writer.call(7) == 14


def test_a_caller_that_cancels_never_stops_the_write() -> None:
    store = Store()
    with GroupCommitWriter(store.commit) as writer, held(store, writer):
        future = writer.submit(1)
        assert not future.cancel()
    assert store.batches == [[0], [1]]


def test_a_task_that_is_cancelled_never_stops_the_write_or_its_neighbours() -> None:
    store = Store()

    async def edge(writer: GroupCommitWriter[int, int]) -> list[int | BaseException]:
        with held(store, writer):
            tasks = [asyncio.create_task(writer.call_async(number)) for number in (1, 2, 3)]
            await asyncio.sleep(0)
            tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with GroupCommitWriter(store.commit) as writer:
        answers = asyncio.run(edge(writer))
    assert (answers[0], answers[2]) == (2, 6)
    assert isinstance(answers[1], asyncio.CancelledError)
    assert store.batches == [[0], [1, 2, 3]]


def test_a_caller_whose_loop_is_closed_harms_nobody() -> None:
    store = Store()
    with GroupCommitWriter(store.commit) as writer:
        with held(store, writer):
            loop = asyncio.new_event_loop()
            task = loop.create_task(writer.call_async(1))
            loop.run_until_complete(asyncio.sleep(0))
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
            loop.close()
            other = writer.submit(2)
        assert other.result(10) == 4


class Closing(asyncio.SelectorEventLoop):
    """A loop that is closed in the moment in which it is called."""

    def call_soon_threadsafe(self, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("Event loop is closed")
        return super().call_soon_threadsafe(*args, **options)


def test_a_loop_that_is_closed_while_it_is_told_harms_nobody() -> None:
    store = Store()
    with GroupCommitWriter(store.commit) as writer:
        loop = Closing()
        task = loop.create_task(writer.call_async(1))
        loop.run_until_complete(asyncio.sleep(0))
        assert writer.call(2, 10) == 4
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()


def test_closing_stores_what_waits_and_refuses_the_rest() -> None:
    store = Store()
    writer = GroupCommitWriter(store.commit)
    with held(store, writer):
        futures = [writer.submit(number) for number in (1, 2)]
        closing = threading.Thread(target=writer.close)
        closing.start()
        while True:
            try:
                futures.append(writer.submit(3))
            except WriterClosed:
                break
            time.sleep(0.001)
    closing.join(60)
    assert not closing.is_alive()
    assert sorted(item for batch in store.batches for item in batch) == [0, 1, 2] + [3] * (len(futures) - 2)
    assert all(future.done() for future in futures)


def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_open() -> None:
    store = Store()
    with (
        GroupCommitWriter(store.commit) as writer,
        held(store, writer),
        pytest.raises(StorageUnavailable, match="in time"),
    ):
        writer.call(1, timeout_seconds=0.01)
    assert store.batches == [[0], [1]]


def test_answers_are_counted_against_items() -> None:
    def answer_too_few(items: list[int]) -> list[int]:
        return items[1:]

    with GroupCommitWriter(answer_too_few) as writer, pytest.raises(AssertionError, match="0 answers to 1"):
        writer.call(1)


PROGRAM = """
import os, sys, threading
from sqlalchemy import insert
from libs.storage.engine import open_engine
from libs.storage.group_commit import GroupCommitWriter
from libs.storage.uow import UnitOfWork
from tests.storage.sample.storage.rows import NOTE

engine = open_engine(sys.argv[1], sys.argv[2])

def commit(names):
    with UnitOfWork(engine) as uow:
        uow.connection.execute(insert(NOTE), [{"name": name, "body": "x"} for name in names])
        uow.commit()
    return names

writer = GroupCommitWriter(commit)

def caller(number):
    for count in range(1_000_000):
        os.write(1, (writer.call(f"{number}-{count}") + "\\n").encode())

for number in range(8):
    threading.Thread(target=caller, args=(number,)).start()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_in_the_middle_of_group_commits_loses_no_acknowledged_item(kind: str, tmp_path: Path) -> None:
    url, schema = database_for(kind, tmp_path, SAMPLE)
    engine = open_engine(url, schema)
    upgrade(engine, SAMPLE)
    with subprocess.Popen([sys.executable, "-c", PROGRAM, url, schema], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(300)]
        os.kill(process.pid, signal.SIGKILL)
        acknowledged += process.stdout.readlines()
    assert all(acknowledged)
    with reading(engine) as connection:
        stored = set(connection.scalars(select(NOTE.c.name)))
    names = {line.decode().strip() for line in acknowledged if line.endswith(b"\n")}
    assert len(names) >= 300
    assert names <= stored
    drop(engine)


def test_a_writer_that_nobody_used_lets_its_process_end() -> None:
    program = "from libs.storage.group_commit import GroupCommitWriter; GroupCommitWriter(list)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=20)
    GroupCommitWriter(list).close()
