"""README's ten minutes, typed as they stand there: every command works, and does what the text says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc

from cli.connection import Connection
from cli.demo.day import Day
from cli.demo.inputs import write_inputs
from tests.eventually import eventually

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
TUTORIAL = README[README.index("## Ten minutes") : README.index("## What it promises")]
SIXTY = 60.0
pytestmark = pytest.mark.xdist_group("readme")


def block(language: str, *words: str) -> str:
    """The tutorial's one block of code with these words in it."""
    found = re.findall(rf"```{language}\n(.*?)```", TUTORIAL, re.DOTALL)
    fitting = [one for one in found if all(word in one for word in words)]
    assert len(fitting) == 1, f"{len(fitting)} blocks with {words}"
    return str(fitting[0])


@dataclass
class Newcomer:
    """Someone in a folder as `make demo` leaves it, with a shell. The ports alone are not the README's."""

    folder: Path
    ports: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        return {**clean, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'libs' / 'stubs'}"}

    def typed(self, text: str) -> str:
        """What a shell is given: the text, with this suite's ports in it."""
        for standard, port in self.ports.items():
            text = text.replace(standard, port)
        return text

    def does(self, text: str, status: int = 0) -> str:
        """Type it into a shell and see the answer."""
        shell = ["bash", "-euo", "pipefail", "-c", self.typed(text)]
        done = subprocess.run(
            shell, cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False, timeout=SIXTY
        )
        assert done.returncode == status, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    folder = tmp_path_factory.mktemp("a clone")
    (folder / "cli").symlink_to(ROOT / "cli")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "concord").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m cli "$@"\n')
    (programs / "concord").chmod(0o755)
    write_inputs(Day(b"shop", b"stripe"), folder / "data" / "demo" / "inputs")
    one = Newcomer(folder)
    with started(one):
        yield one


@contextmanager
def started(newcomer: Newcomer) -> Iterator[None]:
    """The tutorial's first block, on ports that are free."""
    text = block("sh", "concord up").replace(".venv/bin/concord up", "exec .venv/bin/concord up --free-ports --json")
    suite = subprocess.Popen(
        ["bash", "-euc", text], cwd=newcomer.folder, env=newcomer.environment(), stdout=subprocess.PIPE, text=True
    )
    assert suite.stdout is not None
    try:
        ports = json.loads(suite.stdout.readline())["ports"]
        newcomer.ports = {"127.0.0.1:50053": f"127.0.0.1:{ports['ledger']}"}
        newcomer.ports["127.0.0.1:8080"] = f"127.0.0.1:{ports['http']}"
        yield
    finally:
        suite.terminate()
        suite.wait(SIXTY)
        suite.stdout.close()


def test_the_services_answer(newcomer: Newcomer) -> None:
    said = newcomer.does(block("sh", "concord health"))
    assert re.findall(r"^(\w+) +SERVING$", said, re.MULTILINE) == ["gateway", "masterdata", "ledger", "recon"]


def test_an_event_is_recorded_and_watched_until_it_is_posted(newcomer: Newcomer) -> None:
    newcomer.does(block("sh", "event.json <<"))
    (newcomer.folder / "data" / "hello.py").write_text(newcomer.typed(block("python")))
    token = newcomer.does(block("sh", "concord token") + 'printf %s "$TOKEN"')
    command = [sys.executable, "data/hello.py"]
    environment = {**newcomer.environment(), "TOKEN": token}
    client = subprocess.Popen(command, cwd=newcomer.folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    seen: list[str] = []
    try:
        for line in client.stdout:
            seen.append(line)
            if "STATE_POSTED INV/" in line:
                break
    finally:
        client.kill()
        client.wait(SIXTY)
        client.stdout.close()
    assert re.fullmatch(r"[0-9a-f]{32}\n", seen[0])
    timeline = newcomer.does(block("sh", "concord trace").replace("TRANSACTION_ID", seen[0].strip()))
    assert timeline.count("[posted]") == 1


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="no curl or no openssl here")
def test_a_webhook_signed_by_hand_is_accepted_once_and_a_forged_one_is_not(newcomer: Newcomer) -> None:
    send = block("sh", "openssl")
    first, again = newcomer.does(send), newcomer.does(send)
    named = r'"transaction_id": *"([0-9a-f]{32})"'
    transaction = re.findall(named, first)
    assert " 202 " in first.splitlines()[0]
    assert transaction == re.findall(named, again) != []
    assert " 401 " in newcomer.does(send.replace('"$ORDER" -H', '"cli/main.py" -H')).splitlines()[0]
    trace = block("sh", "concord trace").replace("TRANSACTION_ID", transaction[0])
    eventually(lambda: "odoo number INV/" in newcomer.does(trace))


def test_a_statement_is_looked_at(newcomer: Newcomer) -> None:
    said = json.loads(newcomer.does(block("sh", "concord inspect")))
    assert [one["ties"] for one in said["statements"]] == [True]


def test_a_mapping_is_proposed_by_one_and_approved_by_another(newcomer: Newcomer) -> None:
    said = newcomer.does(block("sh", "masterdata propose"))
    assert "mapping set 2: active, proposed by ann, approved by bob" in said
    assert "mapping set 1: retired" in said


def test_the_calls_for_grpcurl_name_what_there_is(newcomer: Newcomer) -> None:
    service = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"]
    called = set(re.findall(r"([\w.]+)/(\w+)(?: <|$)", block("sh", "grpcurl"), re.MULTILINE))
    assert called == {(service.full_name, "RecordEvent"), (service.full_name, "WatchPostings")}
    connection = Connection({"CONCORD_DATA_DIR": str(newcomer.folder / "data")})
    with connection.channel("ledger", ("viewer",)) as channel:  # what reads here is served there
        ledger_pb2_grpc.LedgerServiceStub(channel).ListPostings(ledger_pb2.ListPostingsRequest(parent="companies/acme"))


def test_every_shell_block_is_typed_by_one_of_these_tests() -> None:
    typed = ("concord up", "concord health", "concord token", "event.json <<", "grpcurl", "openssl", "concord trace",
             "concord inspect", "masterdata propose")  # fmt: skip
    assert len(re.findall("```sh\n", TUTORIAL)) == len({block("sh", word) for word in typed}) == len(typed)


NAMED = {one or other for one, other in re.findall(r"\]\(([\w/.-]+)\)|`((?:docs|docker|services)/[\w/.]+)`", README)}


@pytest.mark.parametrize("path", sorted(NAMED))
def test_every_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()
