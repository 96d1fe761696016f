"""What the same work costs an old commit and this tree, in turns: the CPU of the serving process, new ÷ old.

    python -m tests.bench turns --old COMMIT             every workload
    python -m tests.bench turns --old COMMIT webhook     these only

webhook   a lone client: the next webhook once the last one is answered; the gateway's HTTP face over its inbox
gateway   the same through the gateway's whole process, which translates what it received and hands it on
pages     pages of 100 postings, soon after thousands of them were written; the ledger's whole process
unary     RecordEvent, 128 calls in flight; the ledger's gRPC service
health    each service from its start until it answers SERVING, on the database of an earlier start
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Semaphore
from typing import Any

import grpc
import yaml
from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc, posting_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.connection import Connection
from libs.access import EVERYTHING
from libs.rpc.identity import IssuedToken, TokenKey, TokenKeys
from libs.rpc.wire import from_event
from tests.bench import load
from tests.bench.facts import Charges
from tests.bench.machine import cpu_seconds, listening
from tests.bench.scratch import Scratch
from tests.bench.trees import Tree, both_trees, end
from tests.bench.turns import Goal, Measured, Result, flush_ms
from tests.bench.webhooks import ACCOUNT, SECRET, Workload, requests

SLICES = 10  # of a turn, each tree's after the other's: what moves the machine moves both
LONE_WEBHOOKS = 100  # a slice
CALM_SECONDS = 0.3  # the whole gateway's workers have done what there was to do
MONEY_WEBHOOKS = 1000  # each is posted as two documents
DOCUMENTS_EACH = 2
PAGE_SIZE = 100
UNARY_CALLS = 512  # a slice
CALLS_IN_FLIGHT = 128
COMPANY = "companies/acme"
SERVICES = ("gateway", "masterdata", "ledger", "recon")
KEYS = "k1:" + "b" * 40
PATIENCE_SECONDS = 300.0

Slice = Callable[[int], tuple[Measured, int]]  # what the slice of that number took in all, and for how many units
Prepare = Callable[[Tree, Scratch, ExitStack], Slice]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A workload: how a tree is made ready for it, and what the ratio of CPU is to be."""

    prepare: Prepare
    what: str
    unit: str
    goal: Goal | None = None
    slices: int = SLICES


def run(names: Sequence[str], commit: str, turns: int, parent: Path | None = None) -> Iterator[Result]:
    """Each workload's result. What it compares is prepared once a tree, then measured in turns."""
    with both_trees(commit) as trees:
        for name in names:
            with Scratch("sqlite", parent=parent) as scratch, ExitStack() as stack:
                slices = {tree.name: WORKLOADS[name].prepare(tree, scratch, stack) for tree in trees}
                taken = [turn_of(number, WORKLOADS[name].slices, slices, scratch.folder) for number in range(turns + 1)]
            yield _result(name, commit, taken[1:])  # the first warmed up


def turn_of(number: int, count: int, slices: Mapping[str, Slice], folder: Path) -> dict[str, Any]:
    """Each tree's measures a unit."""
    turn: dict[str, Any] = {"load": os.getloadavg()[0], "flush_ms": flush_ms(folder)}
    sums: dict[str, Counter[str]] = {name: Counter() for name in slices}
    units: Counter[str] = Counter()
    for place in range(number * count, (number + 1) * count):
        for name in list(slices) if place % 2 else reversed(list(slices)):
            measured, done = slices[name](place)
            sums[name].update(measured)
            units[name] += done
    return turn | {
        name: {measure: total / units[name] for measure, total in sums[name].items()} for name in slices
    }  # fmt: skip


def _result(name: str, commit: str, taken: list[dict[str, Any]]) -> Result:
    compared = WORKLOADS[name]
    what = f"{compared.what} This tree and commit {commit} in turns, on SQLite, {compared.unit}."
    result = Result(f"turns-{name}", what, turns=taken)
    for measure in taken[0]["new"]:
        goal = compared.goal if measure.startswith("CPU") else None
        result.ratio(f"{measure}, new ÷ old", "new", "old", measure, goal)
        for tree in ("old", "new"):
            result.each(f"{measure}, {tree}", "ms", tree, measure)
    return result


@contextmanager
def _measuring(pid: int) -> Iterator[Measured]:
    """Milliseconds of the block: CPU of the process, and time."""
    measured: Measured = {}
    cpu, began = cpu_seconds([pid]), time.perf_counter()
    yield measured
    measured["CPU"] = (cpu_seconds([pid]) - cpu) * 1e3
    measured["time"] = (time.perf_counter() - began) * 1e3


def _webhook(tree: Tree, scratch: Scratch, stack: ExitStack) -> Slice:
    url, schema = scratch.database("gateway")
    settings = json.dumps({"kind": "group", "url": url, "schema": schema})
    pid, ready = stack.enter_context(tree.serving("tests.bench.edges", settings))
    return _lone(pid, ready["port"], 0.0)


def _gateway(tree: Tree, scratch: Scratch, stack: ExitStack) -> Slice:
    _, ports = _suite(tree, scratch, stack)
    (pid,) = listening(ports["http"])
    return _lone(pid, ports["http"], CALM_SECONDS)


def _lone(pid: int, port: int, calm_seconds: float) -> Slice:
    def send(place: int) -> tuple[Measured, int]:
        ready = requests(Workload(LONE_WEBHOOKS, first=place * LONE_WEBHOOKS, repeats=0.0))
        with _measuring(pid) as measured:
            outcome = load.drive(port, ready, 1)
            time.sleep(calm_seconds)
        assert len(outcome.answers) == LONE_WEBHOOKS
        measured["time"] = outcome.seconds * 1e3
        return measured, LONE_WEBHOOKS

    return send


def _paged(tree: Tree, scratch: Scratch, stack: ExitStack) -> Slice:
    folder, ports = _suite(tree, scratch, stack)
    channel = Connection({"CONCORD_DATA_DIR": str(folder)}).channel("ledger", ["accountant"])
    stack.callback(channel.close)
    stub = ledger_pb2_grpc.LedgerServiceStub(channel)
    (pid,) = listening(ports["ledger"])
    outcome = load.drive(ports["http"], requests(Workload(MONEY_WEBHOOKS, repeats=0.0)), 32)
    assert len(outcome.answers) == MONEY_WEBHOOKS
    posted = ledger_pb2.PostingFilter(states=[posting_pb2.Posting.STATE_POSTED])
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while sum(map(len, _pages(stub, posted))) < MONEY_WEBHOOKS * DOCUMENTS_EACH:
        assert time.monotonic() < ends_at, "not everything was posted in time"
        time.sleep(1)

    def walk(_: int) -> tuple[Measured, int]:
        with _measuring(pid) as measured:
            pages = list(_pages(stub))
        assert sum(map(len, pages)) == MONEY_WEBHOOKS * DOCUMENTS_EACH
        return measured, len(pages)

    return walk


def _pages(stub: Any, only: ledger_pb2.PostingFilter | None = None) -> Iterator[Sequence[posting_pb2.Posting]]:
    token = ""
    while True:
        answer = stub.ListPostings(
            ledger_pb2.ListPostingsRequest(parent=COMPANY, page_size=PAGE_SIZE, page_token=token, filter=only)
        )
        yield answer.postings
        token = answer.next_page_token
        if not token:
            return


def _unary(tree: Tree, scratch: Scratch, stack: ExitStack) -> Slice:
    url, schema = scratch.database("ledger")
    settings = json.dumps({"url": url, "schema": schema})
    pid, ready = stack.enter_context(tree.serving("tests.bench.recorder", settings))
    channel = grpc.insecure_channel(f"127.0.0.1:{ready['port']}")
    stack.callback(channel.close)
    call = ledger_pb2_grpc.LedgerServiceStub(channel).RecordEvent
    # Commits of before there was a role a service know `service` only.
    token = IssuedToken(TokenKeys([TokenKey.secret(*KEYS.split(":"))]), "gateway", ("gateway", "service"), EVERYTHING)

    def record(place: int) -> tuple[Measured, int]:
        events = Charges().events(place * UNARY_CALLS, UNARY_CALLS)
        ready = [ledger_pb2.RecordEventRequest(event=from_event(event)) for event in events]
        metadata = (("authorization", f"Bearer {token()}"),)
        places = Semaphore(CALLS_IN_FLIGHT)

        def send(request: ledger_pb2.RecordEventRequest) -> Any:
            places.acquire()
            answer = call.future(request, metadata=metadata, timeout=30)
            answer.add_done_callback(lambda _: places.release())
            return answer

        with _measuring(pid) as measured:
            answers = [answer.result() for answer in [send(request) for request in ready]]
        assert not any(answer.duplicate for answer in answers)
        return measured, UNARY_CALLS

    return record


def _health(tree: Tree, scratch: Scratch, stack: ExitStack) -> Slice:
    folder = scratch.folder / tree.name
    folder.mkdir()
    environment = {"CONCORD_DATA_DIR": str(folder), "CONCORD_TOKEN_KEYS": KEYS, "CONCORD_GATEWAY_HTTP_LISTEN": _free()}
    environment |= {f"CONCORD_ODOO_{name}": "http://127.0.0.1:9" for name in ("URL", "DB", "USER", "PASSWORD")}
    environment |= {f"CONCORD_MASTERDATA_ODOO_{name}": "nobody" for name in ("USER", "PASSWORD")}

    def start(_: int) -> tuple[Measured, int]:
        measured: Measured = {}
        for service in SERVICES:
            address = _free()
            began = time.perf_counter()
            own = {**environment, f"CONCORD_{service.upper()}_LISTEN": address}
            process = tree.start(f"services.{service}.main", environment=own, quiet=True)
            try:
                _await_serving(process, address)
                measured[f"CPU of {service}"] = cpu_seconds([process.pid]) * 1e3
                measured[f"time of {service}"] = (time.perf_counter() - began) * 1e3
            finally:
                end(process)
        return measured, 1

    return start


def _await_serving(process: subprocess.Popen[str], address: str) -> None:
    host, _, port = address.rpartition(":")
    while True:
        assert process.poll() is None, "the process ended instead of serving"
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                break
        time.sleep(0.005)
    with grpc.insecure_channel(address) as channel:
        check: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        while check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=30).status != 1:  # SERVING
            time.sleep(0.005)


def _suite(tree: Tree, scratch: Scratch, stack: ExitStack) -> tuple[Path, dict[str, int]]:
    """All of the tree's processes with the sandbox as Odoo: their folder and ports."""
    folder = scratch.folder / tree.name
    sources = scratch.folder / f"{tree.name}.yaml"
    sources.write_text(yaml.safe_dump({"sources": [_source()]}))
    arguments = ("cli", "up", "--json", "--free-ports", "--data", str(folder), "--sources", str(sources))
    _, ready = stack.enter_context(tree.serving(*arguments))
    return folder, ready["ports"]


def _source() -> Mapping[str, object]:
    return {
        "provider": "stripe",
        "account": ACCOUNT,
        "company": "acme",
        "signing_secrets": [{"value": SECRET}],
        "deliveries_per_minute": 1_000_000_000,
    }


def _free() -> str:
    """An address where nothing listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


SIX_TENTHS = Goal("≤ 0.6", at_most=0.6)
WORKLOADS = {
    "webhook": Comparison(_webhook, "A lone client's webhooks into the HTTP face.", "each", SIX_TENTHS),
    "gateway": Comparison(_gateway, "A lone client's webhooks into the whole gateway.", "each", SIX_TENTHS),
    "pages": Comparison(_paged, "Postings, 100 a page.", "a page", Goal("≤ 0.15", at_most=0.15)),
    "unary": Comparison(_unary, f"RecordEvent, {CALLS_IN_FLIGHT} calls in flight.", "a call"),
    "health": Comparison(
        _health, "From the start of a process until it serves.", "each", Goal("≤ 0.5", at_most=0.5), 1
    ),
}
