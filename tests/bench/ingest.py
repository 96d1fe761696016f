"""Durable webhook ingest against an endpoint that only proves the signature and answers (PERFORMANCE, goal 1)."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tests.bench import edges, load
from tests.bench.machine import cpu_seconds
from tests.bench.scratch import Scratch
from tests.bench.turns import Goal, Measured, Result, Step, take_turns
from tests.bench.webhooks import Workload

HALF = Goal("≥ 0.5", at_least=0.5)
TWICE = Goal("≥ 2", at_least=2.0)
EDGE = "tests.bench.edges"


@dataclass(frozen=True, slots=True)
class Size:
    """Requests of a turn: at each number of connections, of one alone, and with one commit each."""

    requests: int = 3000
    lone_requests: int = 200
    each_requests: int = 1000
    connections: tuple[int, ...] = (32, 128)


class Target:
    """A server under load. Every distinct webhook that was acknowledged is remembered with its transaction id."""

    def __init__(self, process: Any, port: int, place: tuple[str, str], *, keeps: bool) -> None:
        self.process = process
        self.port = port
        self.place = place  # URL and schema of what it keeps
        self.acknowledged: dict[str, str] = {}
        self._keeps = keeps
        self._first = 0

    def send(self, count: int, connections: int) -> Measured:
        """One turn's load. A repeat must get the first transaction id."""
        workload = Workload(count, first=self._first, repeats=0.05)
        self._first += count
        before = cpu_seconds([self.process.pid])
        told = load.outcome_of(load.start(self.port, connections, workload))
        used = cpu_seconds([self.process.pid]) - before
        assert told["answered"] == count, f"{told['refused']} refused, {told['lost_connections']} connections lost"
        self.remember(told["transactions"])
        kept = ("per_second", "p50_ms", "p99_ms", "load_cpu_share")
        return {name: told[name] for name in kept} | {"server_cpu_us": used / count * 1e6}

    def remember(self, transactions: dict[str, list[str]]) -> None:
        if not self._keeps:
            return
        for number, ids in transactions.items():
            assert len(ids) == 1, f"webhook {number} was answered with {len(ids)} transaction ids"
            assert ids[0], "an answer names no transaction"
            assert self.acknowledged.setdefault(number, ids[0]) == ids[0]


def run(scratch: Scratch, turns: int, size: Size | None = None) -> Result:
    """The whole workload on one database."""
    size = size or Size()
    result = Result(
        f"ingest-{scratch.kind}",
        f"Signed Stripe webhooks of about 1.4 kB, 5 % of them repeats, into the gateway's HTTP face on "
        f"{scratch.title}, from a load generator in a second process.",
    )
    with ExitStack() as stack:
        targets = {}
        for kind in ("starlette", "bare", "group", "each"):
            url, schema = scratch.database("gateway")
            process, ready = stack.enter_context(edges.serving(EDGE, kind=kind, url=url, schema=schema))
            targets[kind] = Target(process, ready["port"], (url, schema), keeps=kind in ("group", "each"))
        result.turns = take_turns(turns, _steps(targets, size), scratch.folder)
        for kind in ("group", "each"):
            _compare(scratch, targets[kind])
    _figures(result, size)
    acknowledged = sum(len(target.acknowledged) for target in targets.values())
    result.checks.append(f"each of {acknowledged:,} acknowledged webhooks is stored once, under the id it was told")
    result.checks.append(_killed(scratch, size))
    result.notes.append("bare and Starlette keep nothing; all four run on the gateway's own uvicorn settings")
    return result


def _steps(targets: dict[str, Target], size: Size) -> dict[str, Step]:
    def step(kind: str, count: int, connections: int) -> Step:
        return lambda _: targets[kind].send(count, connections)

    steps: dict[str, Step] = {}
    for connections in size.connections:
        for kind in ("starlette", "bare", "group"):
            steps[f"{kind}_{connections}"] = step(kind, size.requests, connections)
    most = max(size.connections)
    steps[f"each_{most}"] = step("each", size.each_requests, most)
    steps["group_1"] = step("group", size.lone_requests, 1)
    steps["bare_1"] = step("bare", size.lone_requests, 1)
    return steps


def _figures(result: Result, size: Size) -> None:
    for connections in size.connections:
        result.ratio(
            f"÷ bare Starlette, {connections} connections",
            f"group_{connections}",
            f"starlette_{connections}",
            goal=HALF,
        )
        result.ratio(f"÷ bare raw ASGI, {connections} connections", f"group_{connections}", f"bare_{connections}")
    most = max(size.connections)
    result.ratio(f"÷ one commit a request, {most} connections", f"group_{most}", f"each_{most}", goal=TWICE)
    for connections in size.connections:
        step = f"group_{connections}"
        result.each(f"rate, {connections} connections", "/s", step, "per_second")
        result.each(f"p99, {connections} connections", "ms", step, "p99_ms")
        result.each(f"CPU a webhook, {connections} connections", "µs", step, "server_cpu_us")
    result.each(f"bare Starlette's CPU a request, {most} connections", "µs", f"starlette_{most}", "server_cpu_us")
    for turn in result.turns:
        turn["lone"] = {
            "wait_ms": turn["group_1"]["p50_ms"],
            "beyond_flush_ms": turn["group_1"]["p50_ms"] - turn["flush_ms"],
        }
    result.each("a lone client waits", "ms", "lone", "wait_ms")
    goal = Goal("≤ 1 ms", at_most=1.0)
    result.each("a lone client waits beyond one flush", "ms", "lone", "beyond_flush_ms", goal)
    result.each("a lone client of the bare endpoint waits", "ms", "bare_1", "p50_ms")


def _compare(scratch: Scratch, target: Target) -> None:
    """The inbox holds what was acknowledged, each once, under the id that its sender was told."""
    stored = _stored(scratch, *target.place)
    assert stored == target.acknowledged, "the inbox differs from what was acknowledged"


def _stored(scratch: Scratch, url: str, schema: str) -> dict[str, str]:
    rows = scratch.rows(url, schema, "SELECT name, transaction_id FROM delivery")
    assert len({row[0] for row in rows}) == len(rows)
    assert len(rows) == scratch.rows(url, schema, "SELECT count(*) FROM delivery_body")[0][0]
    return {str(name).rpartition("/evt_b")[2]: str(transaction_id) for name, transaction_id in rows}


def _killed(scratch: Scratch, size: Size) -> str:
    """SIGKILL in the middle of the load: whatever was acknowledged is there afterwards."""
    url, schema = scratch.database("gateway")
    workload = Workload(size.requests, first=10_000_000)
    with edges.serving(EDGE, kind="group", url=url, schema=schema) as (process, ready):
        generator = load.start(ready["port"], max(size.connections), workload)
        wanted = max(1, size.requests // 10)
        while len(_so_far(scratch, url, schema)) < wanted:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        told = load.outcome_of(generator)
    stored = _stored(scratch, url, schema)
    assert told["answered"] < size.requests, "the server was killed too late"
    for number, ids in told["transactions"].items():
        assert ids == [stored.get(number)], f"webhook {number} was acknowledged and is not stored"
    return f"kill -9 in the middle: all {len(told['transactions']):,} webhooks acknowledged before it are stored"


def _so_far(scratch: Scratch, url: str, schema: str) -> list[Any]:
    try:
        return scratch.rows(url, schema, "SELECT 1 FROM delivery")
    except sqlite3.OperationalError:  # locked at this moment
        return []
