"""Resident memory of the real processes after few events and after many (PERFORMANCE, goal 10)."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from cli.connection import Connection
from cli.demo.company import provide_company
from cli.suite import Suite
from tests.bench import load
from tests.bench.machine import resident_bytes
from tests.bench.scratch import Scratch
from tests.bench.turns import Figure, Goal, Result, flush_ms
from tests.bench.webhooks import ACCOUNT, SECRET, Workload

WATCHED = ("gateway", "ledger", "recon", "masterdata")
MONEY_EVERY = 10
SLICE = 10_000
CONNECTIONS = 32
CALM_SECONDS = 3.0
PATIENCE_SECONDS = 1800.0
SAMPLES = 5
MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Size:
    """Events after which memory is read: the later ones are compared with the first."""

    events: tuple[int, ...] = (10_000, 100_000)


def run(scratch: Scratch, size: Size | None = None) -> Result:
    """Start the suite as `concord up` does, with the sandbox as Odoo, and send webhooks until all marks are reached."""
    size = size or Size()
    result = Result(
        "memory",
        f"Webhooks through the real processes on SQLite with the sandbox as Odoo: received, translated, handed on, "
        f"recorded; every {MONEY_EVERY}th brings money and is posted as two documents, the rest have no effect. Memory is "
        "read when everything has come to rest.",
    )
    sources = scratch.folder / "sources.yaml"
    sources.write_text(yaml.safe_dump({"sources": [_source()]}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    data = scratch.folder / "suite"
    suite = Suite(data, environment, free_ports=True, sources=sources)
    suite.start()
    try:
        provide_company(Connection({**environment, "CONCORD_DATA_DIR": str(data)}))
        sent = 0
        began = time.perf_counter()
        for mark in size.events:
            _send(suite, sent, mark - sent)
            sent = mark
            _await_rest(data, sent)
            result.turns.append(_reading(suite, scratch.folder, mark, time.perf_counter() - began))
    finally:
        suite.stop()
    _figures(result, size)
    result.checks.append(
        "every webhook is one event in the ledger; every one with money is posted twice, none is in doubt"
    )
    result.notes.append("the sandbox keeps its books in a file and is no part of the suite: its memory is not judged")
    return result


def _source() -> Mapping[str, object]:
    return {
        "provider": "stripe",
        "account": ACCOUNT,
        "company": "acme",
        "livemode": True,
        "signing_secrets": [{"value": SECRET}],
        "deliveries_per_minute": 1_000_000_000,
    }


def _send(suite: Suite, first: int, count: int) -> None:
    """Distinct webhooks, signed shortly before they are sent."""
    for start in range(first, first + count, SLICE):
        workload = Workload(min(SLICE, first + count - start), first=start, repeats=0.0, money_every=MONEY_EVERY)
        told = load.outcome_of(load.start(suite.ports["http"], CONNECTIONS, workload))
        assert told["answered"] == workload.count, f"{told['refused']} webhooks were refused"


def _await_rest(data: Path, events: int) -> None:
    """Until the ledger has every event and every document is posted."""
    documents = 2 * len(range(0, events, MONEY_EVERY))
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        states = _states(data)
        if (states.get("events"), states.get("posted")) == (events, documents):
            break
        if time.monotonic() > ends_at:
            raise TimeoutError(f"the suite did not come to rest: {states}")
        time.sleep(0.5)
    assert set(states) <= {"events", "posted"}, f"not all was posted: {states}"
    time.sleep(CALM_SECONDS)


def _states(data: Path) -> dict[str, int]:
    connection = sqlite3.connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True, timeout=10)
    try:
        (events,) = connection.execute("SELECT count(*) FROM event").fetchone()
        return {"events": events, **dict(connection.execute("SELECT state, count(*) FROM posting GROUP BY state"))}
    finally:
        connection.close()


def _reading(suite: Suite, folder: Path, mark: int, seconds: float) -> dict[str, object]:
    """Each process's resident memory, the median of a few looks."""
    reading: dict[str, object] = {"load": os.getloadavg()[0], "flush_ms": flush_ms(folder), "events": mark}
    reading["seconds"] = seconds
    for name in WATCHED:
        process = suite.child(name).process
        assert process is not None
        assert process.poll() is None, f"{name} has died"
        looks = []
        for _ in range(SAMPLES):
            looks.append(resident_bytes(process.pid) / MEGABYTE)
            time.sleep(0.2)
        reading[name] = statistics.median(looks)
    return reading


def _figures(result: Result, size: Size) -> None:
    first = result.turns[0]
    for name in WATCHED:
        for reading in result.turns:
            result.add(Figure(f"{name} at {reading['events']:,} events", "MB", [reading[name]]))
    for reading in result.turns[1:]:
        for name in ("gateway", "ledger"):
            growth = 100 * (reading[name] / first[name] - 1)
            goal = Goal("≤ 10 %", at_most=10.0)
            result.add(
                Figure(f"{name}'s growth, {first['events']:,} to {reading['events']:,}", "%", [growth], goal)
            )  # fmt: skip
    last = result.turns[-1]
    result.add(Figure("events through the whole walk", "/s", [last["events"] / last["seconds"]]))
