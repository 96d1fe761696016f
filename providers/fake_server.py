"""A stand-in for a provider's API on loopback, for demo and tests: what it answers is each provider's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Parameters = Sequence[tuple[str, str]]
Answer = tuple[HTTPStatus, Mapping[str, Any]]


class FakeServer:
    """Answers GETs as JSON, on a port of the system's choice. Close it."""

    def __init__(self, answer: Callable[[str, Parameters, str], Answer]) -> None:
        """`answer` is given path, parameters and the authorization header."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                given = self.headers.get("Authorization", "")
                status, content = answer(parts.path, parse_qsl(parts.query), given)
                body = json.dumps(content, indent=2).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: a demo's screen is for people."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="fake API", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
