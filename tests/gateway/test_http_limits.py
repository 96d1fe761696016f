"""Senders that never come to an end: each costs little memory, and its connection for seconds only."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest

from services.gateway.config import HttpConfig
from services.gateway.http.protocol import MAX_HEAD_BYTES, LimitedProtocol
from services.gateway.http.server import HttpServer
from services.gateway.openapi import document
from tests.gateway.edge import CHARGE, IBAN, WEBHOOK, Edge, edge, post, signed
from tests.gateway.world import GatewayWorld

POST = f"POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\n".encode()
LINE = b"X-Filler: " + b"f" * 1000 + b"\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def found(world: GatewayWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    monkeypatch.setattr(LimitedProtocol, "head_timeout_seconds", 1.5)
    monkeypatch.setattr(LimitedProtocol, "linger_seconds", 0.8)
    with edge(world) as served:
        yield served


def ended(connection: socket.socket) -> bytes:
    """What the server says before it ends the connection, which it must."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def problem(answer: bytes) -> tuple[int, str]:
    """Status and reason of an answer that OpenAPI knows."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, described = head.split(b" ", 2)[1].decode(), document()
    assert b"content-type: application/problem+json" in head.lower()
    operation = described["paths"]["/webhooks/{provider}/{account}"]["post"]
    schema = operation["responses"][status]["content"]["application/problem+json"]["schema"]
    jsonschema.validate(json.loads(body), {**schema, "components": described["components"]})
    return int(status), json.loads(body)["reason"]


@pytest.mark.parametrize(
    "head",
    [
        POST + LINE * 80,
        POST + b"X-Long: " + b"l" * 80_000,
        b"POST /" + b"u" * 80_000,
    ],
)
def test_a_head_without_end_is_cut_off(found: Edge, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as connection:
        connection.sendall(head)
        assert problem(ended(connection)) == (431, "HEADERS_TOO_LARGE")
    assert post(found).status_code == 202


def test_a_large_head_within_the_limit_is_taken(found: Edge) -> None:
    response = post(found, headers=signed(found) | {"x-filler": "f" * (MAX_HEAD_BYTES // 2)})
    assert response.status_code == 202


@pytest.mark.parametrize("flood", [b"1\r\na\r\n0\r\n" + LINE * 100, b"1;" + b"e" * 100_000])
def test_trailers_and_frames_without_end_are_cut_off(found: Edge, flood: bytes) -> None:
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as connection:
        connection.sendall(CHUNKED + flood)
        assert problem(ended(connection)) == (431, "HEADERS_TOO_LARGE")
    assert post(found).status_code == 202


def test_small_chunks_of_a_large_body_are_no_flood(found: Edge) -> None:
    body = CHARGE + b" " * 30_000
    parts = (body[start : start + 8] for start in range(0, len(body), 8))
    assert post(found, body=body).status_code == 202
    again = httpx.post(found.url + WEBHOOK, content=parts, headers=signed(found, body))
    assert again.headers["concord-duplicate"] == "true"


@pytest.mark.parametrize("begun", [b"", POST, POST + b"X-Slow: "])
def test_a_head_that_does_not_come_to_its_end_costs_its_connection(found: Edge, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as connection:
        connection.sendall(begun)
        answer = ended(connection)
    assert not answer if not begun else problem(answer) == (408, "HEADERS_TOO_SLOW")


def test_a_kept_connection_s_next_head_has_its_time_too(found: Edge) -> None:
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        time.sleep(1.7)  # between two requests a connection may rest longer
        connection.sendall(POST)
        assert problem(ended(connection)) == (408, "HEADERS_TOO_SLOW")


def test_who_is_refused_early_reads_why_and_cannot_send_for_ever(found: Edge) -> None:
    head = f"POST /files/{IBAN} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as connection:
        connection.sendall(head + b"x" * 100_000)
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 401")
        with pytest.raises(ConnectionError):
            drip(connection)


def drip(connection: socket.socket) -> None:
    for _ in range(3000):
        connection.sendall(b"x" * 100)
        time.sleep(0.02)


def test_who_sends_all_after_an_early_refusal_keeps_the_connection(found: Edge) -> None:
    head = f"POST /files/{IBAN} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 401")
        connection.sendall(b"x" * 100)
        time.sleep(1.0)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\r\n\r\n", POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"]
)
def test_what_is_no_http_gets_a_problem_body_too(found: Edge, junk: bytes) -> None:
    with socket.create_connection(("127.0.0.1", found.port), timeout=60) as connection:
        connection.sendall(junk)
        assert problem(ended(connection)) == (400, "HTTP_MALFORMED")


def test_connections_beyond_the_limit_are_told_to_come_back() -> None:
    async def silent(scope: object, receive: object, send: object) -> None:
        raise AssertionError("nobody asks")

    server = HttpServer(silent, HttpConfig(listen="127.0.0.1:0", max_connections=2))
    try:
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(2)]
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as third:
            answer = ended(third)
        assert problem(answer) == (503, "TOO_MANY_CONNECTIONS")
        assert b"retry-after: " in answer
        for one in held:
            one.close()
    finally:
        server.stop(1)
