"""The process as `main` builds it: on its own database, with neighbours that are not there yet."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from concord.ledger.v1 import ledger_pb2, ledger_pb2_grpc

from libs.access import EVERYTHING
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ConfigInvalid
from libs.rpc.identity import IssuedToken, TokenKeys
from libs.rpc.wire import from_event
from libs.service.process import ServiceProcess
from services.ledger.config import LedgerConfig
from services.ledger.main import build
from tests.ledger.events import capture

TOKEN_KEYS = "k1:a-secret-of-the-tests-that-is-long-enough"
ENV = {
    "CONCORD_TOKEN_KEYS": TOKEN_KEYS,
    "CONCORD_LEDGER_LISTEN": "127.0.0.1:0",
    "CONCORD_MASTERDATA_ADDRESS": "127.0.0.1:1",
    "CONCORD_ODOO_URL": "http://127.0.0.1:1",
    "CONCORD_ODOO_DB": "books",
    "CONCORD_ODOO_USER": "concord",
    "CONCORD_ODOO_PASSWORD": "secret",
}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServiceProcess]:
    found = build(ENV | {"CONCORD_LEDGER_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.db'}"})
    found.start()
    yield found
    assert found.stop()


def test_it_records_and_answers_while_masterdata_and_odoo_are_down(process: ServiceProcess) -> None:
    address = f"127.0.0.1:{json.loads(process.ready_line())['ports']['grpc']}"
    token = IssuedToken(TokenKeys.parse(TOKEN_KEYS), "gateway", ("gateway", "viewer"), EVERYTHING)
    channel = open_channel(address, ChannelConfig(), token)
    stub = ledger_pb2_grpc.LedgerServiceStub(channel)
    event = from_event(replace(capture(), transaction_id=""))
    assert not stub.RecordEvent(ledger_pb2.RecordEventRequest(event=event)).duplicate
    time.sleep(0.3)  # the builder meets the masterdata that does not answer
    found = stub.GetEvent(ledger_pb2.GetEventRequest(name=event.name))
    assert (found.state, list(found.postings)) == (ledger_pb2.RecordedEvent.STATE_RECORDED, [])
    channel.close()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CONCORD_ODOO_URL": ""}, "CONCORD_ODOO_URL"),
        ({"CONCORD_ODOO_PASSWORD": ""}, "CONCORD_ODOO_API_KEY"),
        ({"CONCORD_INSTALLATION": "Has-Capitals"}, "CONCORD_INSTALLATION"),
        ({"CONCORD_LEDGER_POST_BATCH": "0"}, "POST_BATCH"),
    ],
)
def test_a_missing_or_wrong_value_stops_the_start(change: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigInvalid, match=named):
        LedgerConfig.from_env(ENV | change)


def test_the_ledgers_own_variable_wins_and_no_secret_is_shown() -> None:
    config = LedgerConfig.from_env(ENV | {"CONCORD_LEDGER_ODOO_USER": "ledger-user", "CONCORD_LEDGER_LISTEN": ""})
    assert (config.odoo.user, config.installation, config.runtime.rpc.listen) == (
        "ledger-user",
        "main",
        "127.0.0.1:50053",
    )
    assert "secret" not in repr(config)
