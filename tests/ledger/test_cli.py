"""`concord exceptions …` against a ledger that could not build a sale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from libs.rpc.config import ServerConfig
from libs.rpc.identity import TokenKeys, TokenVerifier
from libs.rpc.server import serve
from libs.storage.group_commit import InlineWriter
from services.ledger.domain import master
from services.ledger.domain.errors import EventRefused
from services.ledger.domain.event import RecordedEvent
from services.ledger.handlers.record_events import IncomingEvent, record_events
from services.ledger.servicer import Broadcast, LedgerServicer, registration
from tests.ledger.events import capture
from tests.ledger.world import World

KEYS = "k1:" + "y" * 40


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["exceptions", *arguments])
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
def name(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A posting that is an exception, since no clearing account is mapped."""
    world.masterdata.unknown = {master.AccountRole}
    (posting, *_) = world.build(capture())
    writer: InlineWriter[IncomingEvent, RecordedEvent | EventRefused] = InlineWriter(
        lambda told: record_events(told, world.new_uow, world.clock, world.ids)
    )
    servicer = LedgerServicer(world.new_uow, writer, world.clock, Broadcast())
    server = serve(ServerConfig(), [registration(servicer)], TokenVerifier(TokenKeys.parse(KEYS)))
    for key, value in {
        "CONCORD_LEDGER_ADDRESS": server.address,
        "CONCORD_TOKEN_KEYS": KEYS,
        "CONCORD_DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("CONCORD_TOKEN", raising=False)
    yield posting.name
    server.stop(0.1)


def test_what_stands_still_is_listed_with_its_reason_and_what_is_missing(name: str) -> None:
    assert f"finance    {name} not in the mapping (MAPPING_MISSING)" in run("list", "acme")
    found = next(json.loads(line) for line in run("list", "acme", "--json").splitlines() if name in line)
    assert len(run("list", "acme", "--limit", "1").splitlines()) == 1
    assert (found["subject"], found["reason"], found["state"]) == (name, "MAPPING_MISSING", "open")
    assert found["allowed_actions"] == ["retry", "reject"]
    assert run("list", "other") == ""


def test_what_was_mended_is_built_again_and_leaves_the_list(name: str, world: World) -> None:
    world.masterdata.unknown.clear()
    names = [json.loads(line)["subject"] for line in run("list", "acme", "--json").splitlines()]
    assert f"{name} recorded" in run("retry", *names, "--as", "kim").splitlines()
    world.build()
    assert run("list", "acme") == ""
    assert "resolved" in run("list", "acme", "--all")


def test_a_name_that_cannot_be_retried_holds_up_no_other(name: str) -> None:
    told = run("retry", f"{name}x", "companies/acme/matches/m", name, "--json", status=1).splitlines()
    assert [json.loads(line).get("error", {}).get("reason") for line in told] == [
        "POSTING_UNKNOWN",
        "MATCH_UNKNOWN",
        None,
    ]
