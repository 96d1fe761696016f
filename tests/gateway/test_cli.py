"""`concord deliveries …` against a gateway that set something aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from concord.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from typer.testing import CliRunner

from cli.main import app
from libs.access import EVERYTHING
from libs.errors import ConcordError
from libs.rpc.config import ServerConfig
from libs.rpc.identity import IssuedToken, TokenKeys, TokenVerifier
from libs.rpc.server import Registration, serve
from services.gateway.servicer import GatewayServicer
from tests.gateway.world import NOW, Down, GatewayWorld

KEYS = "k1:" + "y" * 40
REFUSED = "sources/stripe/accounts/acct_1/deliveries/evt_refused"
PARKED = "sources/stripe/accounts/acct_1/deliveries/evt_parked"


@dataclass
class Shell:
    world: GatewayWorld

    def run(self, *arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, ["deliveries", *arguments])
        assert result.exit_code == status, result.output
        return result.output

    def refused(self, *arguments: str) -> ConcordError:
        result = CliRunner().invoke(app, ["deliveries", *arguments])
        assert isinstance(result.exception, ConcordError), result.output
        return result.exception

    def deliver(self, event: str) -> None:
        charge = self.world.account.charge(f"ch_{event}", 10800, NOW, fee=343)
        self.world.deliver_stripe(self.world.account.event(event, "charge.succeeded", charge, self.world.now))
        self.world.run("translate")


@pytest.fixture
def shell(world: GatewayWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    """A gateway with one delivery that the ledger took, one that it refused and one that was given up."""
    found = Shell(world)
    found.deliver("evt_taken")
    world.run("forward")
    found.deliver("evt_refused")
    ((refused,),) = world.stored("event", "name", state="waiting")
    world.ledger.refuse[str(refused)] = "EVENT_CONFLICT"
    world.wait(1)
    world.run("forward")
    found.deliver("evt_parked")
    world.ledger.fail_before.extend([Down("away")] * 100)
    for _ in range(101):
        world.run("forward")
        world.wait(1800)
    inner = world.gateway.world
    servicer = GatewayServicer(inner.new_uow, inner.accounts, world.gateway.poll_source(), inner.work.clock)
    service = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"]
    registered = Registration(servicer, gateway_pb2_grpc.add_GatewayServiceServicer_to_server, service)
    server = serve(ServerConfig(), [registered], TokenVerifier(TokenKeys.parse(KEYS)))
    for name, value in {
        "CONCORD_GATEWAY_ADDRESS": server.address,
        "CONCORD_TOKEN_KEYS": KEYS,
        "CONCORD_DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CONCORD_TOKEN", raising=False)
    yield found
    server.stop(0.1)


def test_what_waits_for_a_person_is_listed_newest_first_with_its_reason(shell: Shell) -> None:
    parked, refused = shell.run("list").splitlines()
    assert f"parked      {PARKED} charge.succeeded (SERVICE_UNAVAILABLE)" in parked
    assert f"quarantined {REFUSED} charge.succeeded (EVENT_CONFLICT)" in refused
    assert shell.run("list", "--limit", "1").splitlines() == [parked]
    assert shell.run("list", "--state", "quarantined").splitlines() == [refused]
    assert shell.run("list", "--source", "stripe/acct_1").splitlines() == [parked, refused]
    assert shell.run("list", "--source", "shopify/shop") == ""
    everything = shell.run("list", "--state", "forwarded", "--state", "parked", "--json")
    assert [json.loads(line)["state"] for line in everything.splitlines()] == ["parked", "forwarded"]


def test_as_json_a_delivery_is_an_object(shell: Shell) -> None:
    found = json.loads(shell.run("list", "--state", "parked", "--json"))
    assert (found["name"], found["state"], found["channel"]) == (PARKED, "parked", "webhook")
    assert (found["reason"], found["type"], len(found["events"])) == ("SERVICE_UNAVAILABLE", "charge.succeeded", 1)


def test_what_was_mended_is_replayed_and_leaves_the_list(shell: Shell) -> None:
    shell.world.ledger.refuse.clear()
    assert "received" in shell.run("replay", PARKED, REFUSED, "--as", "kim")
    shell.world.run("translate", "forward")
    assert shell.run("list") == ""
    assert set(shell.world.stored("replay", "requested_by")) == {("kim",)}


def test_a_name_that_cannot_be_replayed_holds_up_no_other(shell: Shell) -> None:
    unknown = PARKED + "x"
    told = shell.run("replay", unknown, PARKED, "--json", status=1).splitlines()
    first, second = (json.loads(line) for line in told)
    assert (first["name"], first["error"]["reason"]) == (unknown, "DELIVERY_UNKNOWN")
    assert (second["name"], second["state"]) == (PARKED, "received")
    assert "DELIVERY_UNKNOWN" in shell.run("replay", unknown, status=1)


def test_who_may_not_replay_is_told_once(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCORD_TOKEN", IssuedToken(TokenKeys.parse(KEYS), "eve", ("auditor",), EVERYTHING)())
    assert shell.refused("replay", PARKED, REFUSED).reason == "PERMISSION_DENIED"
    assert len(shell.run("list").splitlines()) == 2
