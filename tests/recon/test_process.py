"""Recon as a process, its configuration, and the traces that it joins."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from concord.recon.v1 import recon_pb2, recon_pb2_grpc

from libs.access import EVERYTHING
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ConfigInvalid
from libs.rpc.identity import IssuedToken, TokenKeys
from libs.storage.engine import copy_template
from libs.telemetry import names
from services.recon.config import ReconConfig
from services.recon.main import build
from services.recon.telemetry import watch_unmatched
from tests.recon.world import World, payout_of, template
from tests.telemetry.spans import Recorder, links_of, trace_of

KEYS = "k1:HS256:" + "ab" * 32


def test_the_process_serves_and_stops(tmp_path: Path) -> None:
    env = {
        "CONCORD_DATA_DIR": str(tmp_path),
        "CONCORD_TOKEN_KEYS": KEYS,
        "CONCORD_RECON_LISTEN": "127.0.0.1:0",
        "CONCORD_LEDGER_ADDRESS": "127.0.0.1:1",  # nobody is there: workers wait
        "CONCORD_RECON_COMPANIES": "acme",
    }
    process = build(env)
    ports = tmp_path / "ports.json"
    process.start(ports_file=str(ports))
    try:
        port = process._servers["grpc"].port
        assert f'"grpc": {port}' in ports.read_text()
        token = IssuedToken(TokenKeys.parse(KEYS), "tests", ("viewer",), EVERYTHING)
        with open_channel(f"127.0.0.1:{port}", ChannelConfig(retry=None), token) as channel:
            stub = recon_pb2_grpc.ReconServiceStub(channel)
            answer = stub.ListMatches(recon_pb2.ListMatchesRequest(parent="companies/acme"))
            assert not answer.matches
            assert isinstance(channel, grpc.Channel)
    finally:
        assert process.stop()


@pytest.mark.parametrize(
    "env",
    [
        {"CONCORD_RECON_COMPANIES": "a b"},
        {"CONCORD_RECON_EVIDENCE_WAIT_SECONDS": "soon"},
        {"CONCORD_RECON_EVIDENCE_WAIT_SECONDS": "-1"},
        {"CONCORD_RECON_SETTLING_SECONDS": "3600"},  # its name of earlier releases
        {"CONCORD_RECON_SETTLEMENT_ZONE": "Mars/Olympus"},
    ],
)
def test_a_contradictory_value_stops_the_start(env: dict[str, str]) -> None:
    with pytest.raises(ConfigInvalid):
        ReconConfig.from_env({"CONCORD_TOKEN_KEYS": KEYS, **env})


def test_the_defaults_stay_on_this_machine_and_zero_is_a_time_to_settle() -> None:
    env = {"CONCORD_RECON_EVIDENCE_WAIT_SECONDS": "0", "CONCORD_RECON_COMPANIES": "a, b"}
    config = ReconConfig.from_env({"CONCORD_TOKEN_KEYS": KEYS, **env})
    assert (config.runtime.rpc.listen, config.ledger_address) == ("127.0.0.1:50054", "127.0.0.1:50053")
    assert (config.settings.evidence_wait_seconds, config.settings.companies) == (0.0, ("a", "b"))


def test_no_password_shows_when_the_configuration_is_printed() -> None:
    config = ReconConfig.from_env({
        "CONCORD_TOKEN_KEYS": KEYS,
        "CONCORD_NATS_URL": "nats://recon:hush@127.0.0.1:4222",
        "CONCORD_DATABASE_URL": "postgresql://recon:hush@127.0.0.1/concord",
    })  # fmt: skip
    assert "hush" not in repr(config)


def test_a_match_joins_the_trace_of_each_transaction_linked_to_the_statements() -> None:
    recorder = Recorder()
    world = World(copy_template(template()), tracer=recorder.tracer)
    told = payout_of(world, "po_1001", ("txn_1", 10000, 320))
    world.recon.import_settlement(told, "", world.ids())
    world.bank_line("96.80", "STRIPE po_1001")
    world.run()
    events = {one.object_id: one for one in world.ledger.events.values()}
    charge = events.pop("txn_1").transaction_id
    payout = events.pop("txn_po_1001").transaction_id
    (line,) = [one.transaction_id for one in events.values()]
    assert recorder.names(line) == ["line_imported", "handed_on", "matched", "match_written"]
    joined = {span.name: links_of(span) for span in recorder.spans() if trace_of(span) == charge}
    assert joined == {"matched": [payout], "banked": [line], "match_written": [payout]}
    recorder.close()


def test_a_payout_that_the_bank_told_of_first_takes_its_transactions_to_the_bank_too() -> None:
    recorder = Recorder()
    world = World(copy_template(template()), tracer=recorder.tracer)
    told = payout_of(world, "po_1001", ("txn_1", 10000, 320))
    world.bank_line("96.80", "STRIPE po_1001")
    world.run()
    world.recon.import_settlement(told, "", world.ids())
    world.run()
    events = {one.object_id: one.transaction_id for one in world.ledger.events.values()}
    charge, payout = events.pop("txn_1"), events.pop("txn_po_1001")
    (line,) = events.values()
    joined = [(span.name, links_of(span)) for span in recorder.spans() if trace_of(span) == charge]
    assert joined == [("matched", [payout]), ("banked", [line]), ("match_written", [payout])]
    recorder.close()


def test_each_side_of_a_match_can_tell_that_it_was_written() -> None:
    world = World(copy_template(template()))
    world.recon.import_settlement(payout_of(world, "po_1001", ("txn_1", 10000, 320)), "", world.ids())
    line = world.bank_line("96.80", "STRIPE po_1001")
    world.run()
    with world.recon.new_uow(read_only=True) as uow:
        for posting in world.ledger.postings.values():
            _, steps = uow.trail.steps(posting.transaction_id, EVERYTHING)
            written = [one.resource for one in steps if one.step == "match_written"]
            assert len(written) == (1 if posting.key == line else 2), posting.key  # the payout's and the bank's


def test_bank_lines_that_nothing_explains_are_counted_by_company_and_interface() -> None:
    recorder = Recorder()
    world = World(copy_template(template()))
    told = payout_of(world, "po_1001", ("txn_1", 10000, 320))
    world.recon.import_settlement(told, "", world.ids())
    world.bank_line("96.80", "STRIPE po_1001")
    world.bank_line("12.34", "of nobody")
    world.run()

    watch_unmatched(recorder.telemetry.metrics, world.recon.unmatched_lines)
    ((key, lines),) = recorder.points(names.METRIC_UNMATCHED).items()
    assert lines == 1
    whose = dict(key)
    assert whose[names.COMPANY] == "acme"
    assert whose[names.INTERFACE].startswith(f"{whose[names.PROVIDER]}/")
