"""Many callers, one commit: a thread takes all that waits, commits it, answers, and repeats.

There is no timer. A lone caller waits for one commit; under load the batches grow by themselves while the last one is
being flushed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from .errors import StorageFull, StorageUnavailable, WriterClosed, WriterFull

Item = TypeVar("Item")
Answer = TypeVar("Answer")
ItemT_contra = TypeVar("ItemT_contra", contravariant=True)

CALL_TIMEOUT_SECONDS = 30.0


class Writer(Protocol[ItemT_contra, Answer]):
    """Stores items; what it answers is durable. `GroupCommitWriter` in processes, `InlineWriter` in simulations."""

    def submit(self, item: ItemT_contra) -> Future[Answer]: ...

    def submit_many(self, items: Sequence[ItemT_contra]) -> Future[list[Answer | Exception]]: ...

    def call(self, item: ItemT_contra, timeout_seconds: float = CALL_TIMEOUT_SECONDS) -> Answer: ...

    async def call_async(self, item: ItemT_contra) -> Answer: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Waiting(Generic[Item, Answer]):
    """What one caller waits for. Answered once."""

    items: Sequence[Item]
    answer: Callable[[list[Answer | Exception]], None]
    loop: asyncio.AbstractEventLoop | None = None


class GroupCommitWriter(Generic[Item, Answer]):
    """Stores what many threads and event loops submit, by the group.

    `commit_batch` stores a list in one transaction and gives an answer for each item, in order. If it raises, nothing
    was stored, and every item is tried alone, so that one bad item costs only its own caller; once the database itself
    is gone, the rest of the group gets that error without a try of its own. Past `max_waiting` items: `WriterFull`.

    An item that was taken is stored, whatever becomes of its caller.
    """

    def __init__(
        self,
        commit_batch: Callable[[list[Item]], Sequence[Answer]],
        *,
        max_batch: int = 500,
        max_waiting: int = 10_000,
        name: str = "group commit",
    ) -> None:
        self._commit_batch = commit_batch
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        # Made in C: a condition variable cost a lone caller more than proving its signature. None: closed.
        self._queue: SimpleQueue[_Waiting[Item, Answer] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._closed = False
        # Not a daemon: an interpreter that shuts down waits until what was taken is stored. It starts with the first
        # item, so that a process whose start fails ends.
        self._thread = threading.Thread(target=self._run, name=name)

    @property
    def waiting(self) -> int:
        """How many items wait at this moment: for metrics and for back-pressure."""
        return self._count

    def submit(self, item: Item) -> Future[Answer]:
        """Hand in one item. Raises `WriterFull` or `WriterClosed` at once; the future gives the answer or its error."""
        future: Future[Answer] = Future()
        # Running from the start: whoever cancels stops waiting, and can't stop the write.
        future.set_running_or_notify_cancel()
        self._add(_Waiting([item], lambda answers: _answer_one(future, answers[0])))
        return future

    def submit_many(self, items: Sequence[Item]) -> Future[list[Answer | Exception]]:
        """Hand in many items, all or none. The future gives each one's answer or error, in order."""
        future: Future[list[Answer | Exception]] = Future()
        future.set_running_or_notify_cancel()
        if items:
            self._add(_Waiting(items, future.set_result))
        else:
            future.set_result([])
        return future

    def call(self, item: Item, timeout_seconds: float = CALL_TIMEOUT_SECONDS) -> Answer:
        """Store one item and wait. Raises `StorageUnavailable` after the time-out; the item may be stored even so."""
        return _wait(self.submit(item), timeout_seconds)

    async def call_async(self, item: Item) -> Answer:
        """Store one item from an event loop. All answers of a group reach the loop in one wake-up."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._add(_Waiting([item], lambda answers: _answer_async(future, answers[0]), loop))
        return await future

    def close(self) -> None:
        """Take nothing more, store what waits, and end the thread."""
        with self._lock:
            self._closed = True
            self._queue.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> GroupCommitWriter[Item, Answer]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, waiting: _Waiting[Item, Answer]) -> None:
        with self._lock:
            if self._closed:
                raise WriterClosed("the writer is closed")
            if self._count + len(waiting.items) > self._max_waiting:
                raise WriterFull(f"{self._count} items wait already")
            if self._thread.ident is None:
                self._thread.start()
            self._count += len(waiting.items)
            self._queue.put(waiting)

    def _groups(self) -> Iterator[list[_Waiting[Item, Answer]]]:
        """Each time all that waits, up to the size of a batch (or one larger submission), until closed and drained."""
        held: list[_Waiting[Item, Answer] | None] = []  # what came too late for the last group
        while (first := held.pop() if held else self._queue.get()) is not None:
            group, size = [first], len(first.items)
            while not held and not self._queue.empty():
                following = self._queue.get()
                if following is None or size + len(following.items) > self._max_batch:
                    held.append(following)
                else:
                    group.append(following)
                    size += len(following.items)
            with self._lock:
                self._count -= size
            yield group

    def _run(self) -> None:
        for group in self._groups():
            answers = commit_each(self._commit_batch, [item for waiting in group for item in waiting.items])
            _deliver(group, answers)


class InlineWriter(Generic[Item, Answer]):
    """The same face without a thread: each submission is committed before `submit` returns. For simulations."""

    def __init__(self, commit_batch: Callable[[list[Item]], Sequence[Answer]]) -> None:
        self._commit_batch = commit_batch

    def submit(self, item: Item) -> Future[Answer]:
        """See `GroupCommitWriter.submit`."""
        future: Future[Answer] = Future()
        _answer_one(future, commit_each(self._commit_batch, [item])[0])
        return future

    def submit_many(self, items: Sequence[Item]) -> Future[list[Answer | Exception]]:
        """See `GroupCommitWriter.submit_many`."""
        future: Future[list[Answer | Exception]] = Future()
        future.set_result(commit_each(self._commit_batch, list(items)) if items else [])
        return future

    def call(self, item: Item, timeout_seconds: float = CALL_TIMEOUT_SECONDS) -> Answer:
        """See `GroupCommitWriter.call`."""
        return self.submit(item).result(timeout_seconds)

    async def call_async(self, item: Item) -> Answer:
        """See `GroupCommitWriter.call_async`."""
        return self.submit(item).result()

    def close(self) -> None:
        """Nothing waits."""


def commit_each(commit_batch: Callable[[list[Item]], Sequence[Answer]], items: list[Item]) -> list[Answer | Exception]:
    """Each item's answer or error: of one commit for all, or if that fails, of one commit for each."""
    with _Caught() as caught:
        return _checked(items, commit_batch(items))
    assert caught.error is not None
    if len(items) == 1:
        return [caught.error]
    answers: list[Answer | Exception] = []
    for item in items:
        with _Caught() as caught:
            answers += _checked([item], commit_batch([item]))
        if caught.error is not None:
            answers.append(caught.error)
        if isinstance(caught.error, StorageUnavailable | StorageFull):
            return answers + [caught.error] * (len(items) - len(answers))
    return answers


class _Caught:
    """Keeps an error that belongs to a caller in another thread, where it is raised again."""

    error: Exception | None = None

    def __enter__(self) -> _Caught:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
        return self.error is not None


def _checked(items: Sequence[Item], answers: Sequence[Answer]) -> list[Answer | Exception]:
    if len(answers) != len(items):
        raise AssertionError(f"{len(answers)} answers to {len(items)} items")
    return list(answers)


def _deliver(group: Iterable[_Waiting[Item, Answer]], answers: list[Answer | Exception]) -> None:
    """Give every caller its answers; an event loop is woken once for all of its callers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting[Item, Answer], list[Answer | Exception]]]] = {}
    start = 0
    for waiting in group:
        mine = answers[start : start + len(waiting.items)]
        start += len(waiting.items)
        if waiting.loop is None:
            waiting.answer(mine)
        else:
            by_loop.setdefault(waiting.loop, []).append((waiting, mine))
    for loop, theirs in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed, maybe at this very moment: nobody is there to be told
            loop.call_soon_threadsafe(_deliver_all, theirs)


def _deliver_all(answered: list[tuple[_Waiting[Item, Answer], list[Answer | Exception]]]) -> None:
    for waiting, mine in answered:
        waiting.answer(mine)


def _answer_one(future: Future[Answer], answer: Answer | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _answer_async(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.cancelled():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _wait(future: Future[Answer], timeout_seconds: float) -> Answer:
    try:
        return future.result(timeout_seconds)
    except FutureTimeout:
        raise StorageUnavailable("the writer did not answer in time") from None
