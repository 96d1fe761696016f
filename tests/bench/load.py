"""A load generator: closed-loop connections over plain sockets, in a process of its own.

    python -m tests.bench.load '{"port": 8080, "connections": 32, "count": 5000}'

The requests are made before the clock starts; then each connection sends its next one as soon as it has its answer.
One thread and an epoll loop bear several times what the servers under test do. Prints one JSON object.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.machine import ROOT
from tests.bench.turns import percentile
from tests.bench.webhooks import Workload, requests

ACCEPTED = 202
PATIENCE_SECONDS = 30.0


@dataclass
class Outcome:
    """What came back, by the delivery's place in the workload."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of the load generator
    latencies_ms: list[float] = field(default_factory=list)
    answers: dict[int, bytes] = field(default_factory=dict)  # bodies of the accepted ones
    refused: dict[int, int] = field(default_factory=dict)  # place → status
    lost_connections: int = 0


class _Connection:
    """One connection: one request at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.place = -1
        self.sent_at = 0.0
        self.received = b""

    def send(self, place: int, request: bytes) -> None:
        self.place, self.received = place, b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> tuple[int, bytes] | None:
        """Status and body once they are here whole. Raises `ConnectionError` if the server has gone."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionResetError
        self.received += part
        head, separator, content = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return (int(head[9:12]), content) if len(content) >= length else None


def drive(port: int, requests: Sequence[bytes], connections: int) -> Outcome:
    """Send all requests over that many connections. Ends early, with what came back, if the server dies."""
    outcome = Outcome()
    waiting = iter(enumerate(requests))
    poll = select.epoll()
    open_ones: dict[int, _Connection] = {}
    for _ in range(min(connections, len(requests))):
        connection = _Connection(port)
        open_ones[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
    began, cpu = time.perf_counter(), time.process_time()
    for descriptor in list(open_ones):
        _next(open_ones, descriptor, waiting, outcome)
    while open_ones:
        ready = poll.poll(PATIENCE_SECONDS)
        if not ready:
            raise TimeoutError(f"{len(open_ones)} requests were not answered within {PATIENCE_SECONDS} s")
        for descriptor, _ in ready:
            _take(open_ones, descriptor, waiting, outcome)
    outcome.seconds, outcome.cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    poll.close()
    return outcome


def _take(
    open_ones: dict[int, _Connection], descriptor: int, waiting: Iterator[tuple[int, bytes]], outcome: Outcome
) -> None:
    connection = open_ones[descriptor]
    try:
        answer = connection.answer()
    except ConnectionError:
        outcome.lost_connections += 1
        _close(open_ones, descriptor)
        return
    if answer is None:
        return
    outcome.latencies_ms.append((time.perf_counter() - connection.sent_at) * 1000)
    status, content = answer
    if status == ACCEPTED:
        outcome.answers[connection.place] = content
    else:
        outcome.refused[connection.place] = status
    _next(open_ones, descriptor, waiting, outcome)


def _next(
    open_ones: dict[int, _Connection], descriptor: int, waiting: Iterator[tuple[int, bytes]], outcome: Outcome
) -> None:
    following = next(waiting, None)
    if following is None:
        _close(open_ones, descriptor)
        return
    try:
        open_ones[descriptor].send(*following)
    except ConnectionError:
        outcome.lost_connections += 1
        _close(open_ones, descriptor)


def _close(open_ones: dict[int, _Connection], descriptor: int) -> None:
    open_ones.pop(descriptor).socket.close()


def start(port: int, connections: int, workload: Workload) -> subprocess.Popen[str]:
    """The load generator as a process; its output is for `outcome_of`."""
    settings = {
        "port": port,
        "connections": connections,
        "count": workload.count,
        "first": workload.first,
        "repeats": workload.repeats,
        "money_every": workload.money_every,
        "seed": workload.seed,
    }
    arguments = [sys.executable, "-m", "tests.bench.load", json.dumps(settings)]
    return subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def outcome_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the load generator printed: see `told`."""
    text, _ = process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError(f"the load generator ended with status {process.returncode}")
    found: dict[str, Any] = json.loads(text)
    return found


def told(workload: Workload, outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON: rates, latencies, and the transaction ids by webhook, which repeats must share."""
    transactions: dict[int, set[str]] = {}
    numbers = workload.numbers()
    for place, content in outcome.answers.items():
        answer = json.loads(content) if content else {}
        transactions.setdefault(numbers[place], set()).add(answer.get("transaction_id", ""))
    answered = len(outcome.answers)
    return {
        "answered": answered,
        "per_second": answered / outcome.seconds,
        "seconds": outcome.seconds,
        "p50_ms": percentile(outcome.latencies_ms, 0.5) if answered else 0.0,
        "p99_ms": percentile(outcome.latencies_ms, 0.99) if answered else 0.0,
        "load_cpu_share": outcome.cpu_seconds / outcome.seconds,
        "refused": len(outcome.refused),
        "lost_connections": outcome.lost_connections,
        "transactions": {str(number): sorted(ids) for number, ids in transactions.items()},
    }


def main() -> None:
    settings = json.loads(sys.argv[1])
    port, connections = settings.pop("port"), settings.pop("connections")
    workload = Workload(**settings)
    outcome = drive(port, requests(workload), connections)
    print(json.dumps(told(workload, outcome)))


if __name__ == "__main__":
    main()
