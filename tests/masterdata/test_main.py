from __future__ import annotations

import io
import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import pytest
from concord.masterdata.v1 import masterdata_pb2, masterdata_pb2_grpc, records_pb2

from libs.access import EVERYTHING
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig, ConfigInvalid
from libs.rpc.identity import IssuedToken, TokenKeys
from libs.storage.engine import open_engine
from services.masterdata.main import build
from tests.eventually import eventually
from tests.rpc.echo import NOT_SERVING, SERVING, health_of
from tests.storage.fixtures import POSTGRES, drop

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
        token = IssuedToken(TokenKeys.parse(KEYS), "olga", ("operator",), EVERYTHING)
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


class Cable:
    """A way to PostgreSQL that can be cut and joined again. `port` is where it begins."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._joined = True
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._joined = False
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        self._joined = True

    def close(self) -> None:
        self._joined = False
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._joined:
                    near.close()
                    continue
                far = socket.create_connection(self._to)
                self._open += [near, far]
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                to.sendall(data)
        with suppress(OSError):
            to.shutdown(socket.SHUT_RDWR)


@contextmanager
def cable_to_postgresql() -> Iterator[tuple[Cable, str]]:
    """The cable, and the URL of an empty database at its end."""
    engine = open_engine(os.environ[POSTGRES], "masterdata")
    url = engine.url
    cable = Cable(url.host or "127.0.0.1", url.port or 5432)
    try:
        yield cable, url.set(host="127.0.0.1", port=cable.port).render_as_string(hide_password=False)
    finally:
        cable.close()
        drop(engine)


@pytest.mark.postgres
def test_health_is_not_serving_while_the_database_is_away(tmp_path: Path) -> None:
    with cable_to_postgresql() as (cable, url):
        process = build(environment(tmp_path) | {"CONCORD_MASTERDATA_DATABASE_URL": url})
        process.start()
        port = json.loads(process.ready_line())["ports"]["grpc"]
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                assert health_of(channel, "concord.masterdata.v1.MasterdataService") == SERVING
                cable.cut()
                eventually(lambda: health_of(channel, "concord.masterdata.v1.MasterdataService") == NOT_SERVING, 15)
                cable.join()
                eventually(lambda: health_of(channel, "") == SERVING, 15)
        finally:
            assert process.stop()
