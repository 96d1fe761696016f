from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from libs.errors import ConcordError
from libs.events import TransactionIds
from libs.rpc.config import ServerConfig
from libs.rpc.identity import TokenKeys, TokenVerifier
from libs.rpc.server import serve
from sandbox.transport import InProcess
from services.masterdata.assembly import Masterdata
from services.masterdata.servicer import MasterdataServicer, registration
from services.masterdata.storage import MasterdataUowFactory
from tests.lossy_transport import LossyTransport
from tests.masterdata.company import DEMO, Clock, seeded
from tests.storage.fixtures import EngineFor

KEYS = "k1:" + "y" * 40


@dataclass
class Shell:
    """`concord masterdata …` against a running service."""

    odoo: LossyTransport

    def run(self, *arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, ["masterdata", *arguments])
        assert result.exit_code == status, result.output
        return result.output

    def refused(self, *arguments: str) -> ConcordError:
        result = CliRunner().invoke(app, ["masterdata", *arguments])
        assert isinstance(result.exception, ConcordError), result.output
        return result.exception


@pytest.fixture
def shell(engine_for: EngineFor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    clock = Clock()
    odoo = LossyTransport(InProcess(seeded(18).copy(), "masterdata"), random.Random(1))
    new_uow = MasterdataUowFactory(engine_for("services.masterdata"))
    masterdata = Masterdata(new_uow, odoo, clock, TransactionIds(clock, random.Random(1)))
    server = serve(
        ServerConfig(),
        [registration(MasterdataServicer(masterdata.sync, masterdata.review, masterdata.resolver, new_uow))],
        TokenVerifier(TokenKeys.parse(KEYS)),
    )
    for name, value in {
        "CONCORD_MASTERDATA_ADDRESS": server.address,
        "CONCORD_TOKEN_KEYS": KEYS,
        "CONCORD_DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CONCORD_TOKEN", raising=False)
    yield Shell(odoo)
    server.stop(0.1)


def test_from_sync_to_an_active_mapping(shell: Shell) -> None:
    assert "7 journals" in shell.run("sync", "acme")
    offered = shell.run("propose", "acme", str(DEMO), "--as", "ann")
    assert "companies/acme/mappingSets/1: proposed" in offered
    assert f"concord masterdata approve acme 1 --file {DEMO}" in offered
    assert shell.refused("approve", "acme", "1", "--file", str(DEMO), "--as", "ann").reason == "APPROVER_IS_MAKER"
    assert "active" in shell.run("approve", "acme", "1", "--file", str(DEMO), "--as", "bob")
    shown = shell.run("show", "acme")
    assert "USD, America/New_York" in shown
    assert "mapping set 1: active, proposed by ann, approved by bob" in shown
    assert DEMO.read_text() in shell.run("show", "acme", "--mapping", "1")


def test_everything_as_json(shell: Shell) -> None:
    run = json.loads(shell.run("sync", "acme", "--json"))
    assert (run["state"], run["revision"], run["reason"]) == ("done", 1, None)
    offered = json.loads(shell.run("propose", "acme", str(DEMO), "--as", "ann", "--json"))
    assert (offered["state"], offered["findings"]) == ("proposed", [])
    digest = offered["content_digest"]
    active = json.loads(shell.run("approve", "acme", "1", "--digest", digest, "--as", "bob", "--json"))
    assert (active["state"], active["approved_by"]) == ("active", "bob")
    shown = json.loads(shell.run("show", "acme", "--json"))
    assert (shown["time_zone"], shown["revision"]) == ("America/New_York", 2)
    assert [one["name"] for one in shown["mapping_sets"]] == ["companies/acme/mappingSets/1"]
    assert json.loads(shell.run("show", "acme", "--mapping", "1", "--json"))["yaml"] == DEMO.read_text()


def test_an_odoo_that_is_down_is_said_and_fails(shell: Shell) -> None:
    shell.odoo.down = True
    assert "ODOO_UNAVAILABLE" in shell.run("sync", "acme", status=1)
    assert json.loads(shell.run("sync", "acme", "--json", status=1))["state"] == "failed"


def test_a_wrong_file_says_where(shell: Shell, tmp_path: Path) -> None:
    shell.run("sync", "acme")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("company: { time_zone: UTC }\nrolls: []\n")
    error = shell.refused("propose", "acme", str(wrong))
    assert error.reason == "MAPPING_INVALID"
    assert "line 2, column 1: the file: unknown key 'rolls'" in str(error)
    assert shell.refused("propose", "acme", str(tmp_path / "none.yaml")).reason == "FILE_UNREADABLE"
    wrong.write_bytes(b"\xff\xfe")
    assert shell.refused("propose", "acme", str(wrong)).reason == "FILE_UNREADABLE"


def test_findings_are_shown_to_the_proposer(shell: Shell, tmp_path: Path) -> None:
    shell.run("sync", "acme")
    file = tmp_path / "mapping.yaml"
    file.write_text(DEMO.read_text().replace("code: 121000", "code: 999999"))
    assert "error ACCOUNT_UNKNOWN, line 2" in shell.run("propose", "acme", str(file), "--as", "ann")
    assert shell.refused("approve", "acme", "1", "--file", str(file), "--as", "bob").reason == "MAPPING_HAS_ERRORS"


def test_an_approval_must_name_what_it_signs(shell: Shell) -> None:
    assert shell.refused("approve", "acme", "1").reason == "DIGEST_REQUIRED"
    assert shell.refused("approve", "acme", "1", "--file", str(DEMO), "--digest", "0" * 64).reason == "DIGEST_REQUIRED"
    assert shell.refused("show", "beta").reason == "COMPANY_UNKNOWN"
