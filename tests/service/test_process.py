from __future__ import annotations

import io
import itertools
import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from libs.errors import ConcordError, Kind
from libs.errors.retry import RetryPolicy
from libs.service.process import MANY, ServiceProcess, WorkerLoop
from tests.eventually import eventually

QUICK = RetryPolicy(base_seconds=0.001, cap_seconds=0.002)
REPOSITORY = Path(__file__).parents[2]


class Away(ConcordError):
    kind = Kind.RETRY
    reason = "ODOO_UNAVAILABLE"


class Listener:
    def __init__(self, stopped: list[str] | None = None) -> None:
        self.port = 4711
        self.stopped = stopped if stopped is not None else []

    def stop(self, grace_seconds: float) -> None:
        self.stopped.append("server")


def test_a_worker_repeats_while_there_is_work_and_wakes_when_told() -> None:
    answers = iter([5, 5, 0, 1, 0])
    seen: list[int] = []

    def run_once() -> int:
        seen.append(next(answers, 0))
        return seen[-1]

    wake = threading.Event()
    worker = WorkerLoop("w", run_once, wake, poll_seconds=60)
    worker.start()
    eventually(lambda: len(seen) == 3)
    wake.set()
    eventually(lambda: len(seen) == 5)
    assert worker.stop(5)
    assert seen == [5, 5, 0, 1, 0]


def test_after_a_small_round_a_worker_waits_for_more() -> None:
    rounds: list[int] = []

    def run_once() -> int:
        rounds.append(1)
        return 1

    wake = threading.Event()
    worker = WorkerLoop("w", run_once, wake, pace_seconds=60)
    worker.start()
    eventually(lambda: rounds == [1])  # the first one begins at once
    wake.set()
    time.sleep(0.05)
    assert worker.stop(5)  # and does not sit out its pause
    assert rounds == [1]


def test_a_worker_with_much_to_do_does_not_pause() -> None:
    answers = itertools.chain([MANY] * 3, itertools.repeat(0))
    done: list[int] = []

    def run_once() -> int:
        done.append(next(answers))
        return done[-1]

    worker = WorkerLoop("w", run_once, poll_seconds=60, pace_seconds=60)
    worker.start()
    eventually(lambda: done == [MANY] * 3 + [0])
    assert worker.stop(5)


def test_a_worker_that_nobody_wakes_polls() -> None:
    calls = itertools.count()
    called = threading.Event()

    def run_once() -> int:
        if next(calls) > 3:
            called.set()
        return 0

    worker = WorkerLoop("w", run_once, poll_seconds=0.005)
    worker.start()
    assert called.wait(60)
    assert worker.stop(5)


@pytest.mark.parametrize(
    ("error", "level", "reason"),
    [
        (Away("away"), logging.WARNING, "ODOO_UNAVAILABLE"),
        (ValueError("of Mrs. X"), logging.ERROR, "UNEXPECTED_ValueError"),
    ],
)
def test_a_failing_worker_goes_on_and_says_so_once(
    error: Exception, level: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    failures = [type(error)(*error.args) for _ in range(5)]
    reasons: list[str] = []

    def run_once() -> int:
        if failures:
            raise failures.pop()
        return 0

    worker = WorkerLoop("poster", run_once, poll_seconds=60, pauses=QUICK, on_error=reasons.append)
    worker.start()
    eventually(lambda: not failures and worker.failures == 0)
    assert worker.stop(5)
    told = [record for record in caplog.records if record.levelno == level]
    assert [reason in record.getMessage() for record in told] == [True]
    assert "Mrs. X" not in caplog.text
    assert reasons == [reason] * 5
    assert "works again after 5 failures" in caplog.text


def test_pauses_double_to_a_limit_with_jitter() -> None:
    policy, rng = RetryPolicy(1.0, 8.0), random.Random(1)
    for failures, full in [(1, 1.0), (2, 2.0), (4, 8.0), (50, 8.0), (10_000, 8.0)]:
        pauses = [policy.pause(failures, rng) for _ in range(50)]
        assert all(0 <= pause <= full for pause in pauses)
        assert len(set(pauses)) > 1


def test_a_process_stops_servers_and_workers_before_it_closes_the_rest(tmp_path: Path) -> None:
    order: list[str] = []
    worker = WorkerLoop("w", lambda: 0, poll_seconds=60)
    process = ServiceProcess(
        "ledger",
        {"grpc": Listener(order)},
        [worker],
        closing=[
            lambda: order.append(f"closed, worker alive: {worker.is_alive()}"),
            lambda: 1 / 0,
            lambda: order.append("last"),
        ],
    )
    out = io.StringIO()
    process.start(ports_file=str(tmp_path / "ports.json"), out=out)
    assert json.loads(out.getvalue()) == {"ready": "ledger", "pid": os.getpid(), "ports": {"grpc": 4711}}
    assert (tmp_path / "ports.json").read_text() == out.getvalue()
    assert [path.name for path in tmp_path.iterdir()] == ["ports.json"]
    assert process.stop()
    assert order == ["server", "closed, worker alive: False", "last"]


def test_a_worker_that_does_not_end_is_reported() -> None:
    release = threading.Event()
    worker = WorkerLoop("slow", lambda: release.wait(60) and 0, poll_seconds=60)
    process = ServiceProcess("ledger", {}, [worker], grace_seconds=0.1)
    process.start()
    assert not process.stop()
    release.set()
    assert worker.stop(5)


PROGRAM = """
import threading
from libs.service.process import MANY, ServiceProcess, WorkerLoop
class Listener:
    port = 1
    def stop(self, grace_seconds): print("server stopped", flush=True)
raise SystemExit(ServiceProcess("demo", {"grpc": Listener()}, [WorkerLoop("w", lambda: 0)]).run())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_process_cleanly(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["ready"] == "demo"
        child.send_signal(number)
        assert child.stdout.read() == "server stopped\n"
        assert child.wait(60) == 0


def test_a_process_whose_worker_dies_stops_with_all_of_itself() -> None:
    program = PROGRAM.replace("lambda: 0", "lambda: exec('raise SystemExit')")
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=20)
    assert "server stopped" in done.stdout
    assert "worker w has died" in done.stderr
