"""`concord up` as a person or an init system meets it: one suite a folder, and nothing left when it ends, however."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.demo.command import FolderNotOurs, empty
from cli.suite import FolderInUse, FolderUnusable, PortTaken, Suite, SuiteFailed, locked
from tests.eventually import eventually

ROOT = Path(__file__).resolve().parents[2]
SIXTY = 60.0


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the caller's; the suite is kept in the folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    path = f"{ROOT}{os.pathsep}{ROOT / 'libs' / 'stubs'}"
    return {**clean, "CONCORD_DATA_DIR": str(folder), "PYTHONPATH": path}


def up(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cli", "up", "--free-ports", "--json", *more]
    return subprocess.Popen(
        command, env=environment(folder), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A suite that answers, and what it says of itself."""
    supervisor = up(folder)
    assert supervisor.stdout is not None
    try:
        yield supervisor, json.loads(supervisor.stdout.readline())
    finally:
        supervisor.terminate()
        supervisor.wait(SIXTY)
        supervisor.stdout.close()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_one_suite_a_folder_and_nothing_is_left_of_a_killed_one(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    with running(folder) as (supervisor, told):
        second = up(folder)
        said, _ = second.communicate(timeout=SIXTY)
        assert second.returncode == 1
        assert json.loads(said)["error"]["reason"] == "FOLDER_IN_USE"
        assert (folder / "suite.json").exists(), "the refused one took the running one's file away"

        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait(SIXTY)
        with running(folder) as (again, told_again):  # at once: it waits for the orphans, whose databases these are
            assert [port for port in told["ports"].values() if listening(port)] == []
            assert all(map(listening, told_again["ports"].values()))
            again.send_signal(signal.SIGTERM)
            assert again.wait(SIXTY) == 0
    eventually(lambda: not any(map(listening, told_again["ports"].values())))
    assert not (folder / "suite.json").exists()


def test_a_suite_that_is_stopped_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    supervisor = up(tmp_path / "data")
    started = tmp_path / "data" / "logs" / "masterdata.log"
    eventually(started.exists)
    supervisor.send_signal(signal.SIGTERM)
    said, _ = supervisor.communicate(timeout=SIXTY)
    assert (supervisor.returncode, said) == (0, "")
    with locked(tmp_path / "data"):
        pass  # no service lives: each shares the lock as long as it does


def test_a_taken_port_is_named_with_what_wants_it(tmp_path: Path) -> None:
    suite = Suite(tmp_path, {}, free_ports=True)
    with socket.socket() as other:
        other.bind(("127.0.0.1", suite.ports["recon"]))
        other.listen()
        with pytest.raises(PortTaken, match=rf"port {suite.ports['recon']} \(recon\)"):
            suite.start()
    with locked(tmp_path):
        pass  # a start that failed holds nothing


def test_a_service_that_can_not_start_is_named_with_what_it_said_last(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "data", environment(tmp_path) | {"CONCORD_LEDGER_POST_BATCH": "many"}, free_ports=True)
    with pytest.raises(SuiteFailed, match=r"ledger did not start \(.*POST_BATCH.*\); see .*ledger\.log"):
        suite.start()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderUnusable, match=r"file"), locked(tmp_path / "file"):
        pass


def test_a_demo_empties_only_what_a_demo_left(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FolderNotOurs):
        empty(tmp_path)
    assert (tmp_path / "thesis.txt").exists()

    demo = tmp_path / "demo"
    (demo / "inputs").mkdir(parents=True)
    (demo / "sources.yaml").write_text("")
    with locked(demo), pytest.raises(FolderInUse):
        empty(demo)
    assert (demo / "inputs").exists()
    empty(demo)
    assert {one.suffix for one in demo.iterdir()} == {".lock"}
    empty(demo)
    empty(tmp_path / "new")
