from __future__ import annotations

import io
import json
import uuid
from pathlib import Path

import pytest
from concord.masterdata.v1 import masterdata_pb2, masterdata_pb2_grpc, records_pb2

from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ConfigInvalid
from libs.rpc.identity import IssuedToken, TokenKeys
from services.masterdata.main import build

KEYS = "k1:" + "z" * 40
NOBODY = "http://127.0.0.1:9"  # the discard port: nobody listens


def environment(folder: Path) -> dict[str, str]:
    return {
        "CONCORD_DATA_DIR": str(folder),
        "CONCORD_TOKEN_KEYS": KEYS,
        "CONCORD_ODOO_URL": NOBODY,
        "CONCORD_ODOO_DB": "books",
        "CONCORD_ODOO_USER": "masterdata",
        "CONCORD_ODOO_PASSWORD": "masterdata",
        "CONCORD_MASTERDATA_LISTEN": "127.0.0.1:0",
    }


def test_the_process_starts_and_answers_while_odoo_is_away(tmp_path: Path) -> None:
    process, out = build(environment(tmp_path)), io.StringIO()
    process.start(out=out)
    try:
        port = json.loads(out.getvalue())["ports"]["grpc"]
        token = IssuedToken(TokenKeys.parse(KEYS), "olga", ("operator",))
        with open_channel(f"127.0.0.1:{port}", ChannelConfig(), token) as channel:
            stub = masterdata_pb2_grpc.MasterdataServiceStub(channel)
            assert stub.GetRevision(masterdata_pb2.GetRevisionRequest(name="companies/acme")).revision == 0
            request = masterdata_pb2.SyncMasterDataRequest(parent="companies/acme", request_id=str(uuid.uuid4()))
            run = stub.SyncMasterData(request)
            assert (run.state, run.reason) == (records_pb2.SyncRun.STATE_FAILED, "ODOO_UNAVAILABLE")
            assert stub.SyncMasterData(request) == run
    finally:
        assert process.stop()


def test_a_process_without_keys_does_not_start(tmp_path: Path) -> None:
    without = environment(tmp_path) | {"CONCORD_TOKEN_KEYS": ""}
    with pytest.raises(ConfigInvalid, match="CONCORD_TOKEN_KEYS"):
        build(without)
