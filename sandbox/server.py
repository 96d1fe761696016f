"""The sandbox on a loopback port, one connection a call as Odoo without a proxy does it.

Demo and tests can ask it to fail: replies that are lost after the work is done, or an
outage. Nothing else about it is special.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from .engine import Sandbox
from .http_api import Api, HttpRequest, HttpResponse

_LARGEST_BODY = 64 * 1024 * 1024
_FAULTS_PATH = "/sandbox/faults"


@dataclass(slots=True)
class Faults:
    """What the server is asked to do wrong: lose the next replies, or answer 503 for a while."""

    lose_replies: int = 0
    unavailable: bool = False
    lost: int = 0  # replies lost so far


class SandboxServer:
    """Serves one sandbox. `with_faults` lets anyone on this machine POST to `/sandbox/faults`."""

    def __init__(self, sandbox: Sandbox, port: int = 0, host: str = "127.0.0.1", with_faults: bool = False) -> None:
        self.faults = Faults()
        self._lock = threading.Lock()
        self._with_faults = with_faults
        api = Api(sandbox, lambda: secrets.token_hex(20))
        self._server = ThreadingHTTPServer((host, port), _handler(self, api))
        self._server.daemon_threads = True
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def serve(self) -> None:
        """Answer until `stop` is called from another thread."""
        self._server.serve_forever(poll_interval=0.05)

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve, name="odoo-sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port; the books are the sandbox's own to close."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> SandboxServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def loses_reply(self) -> bool:
        """Whether this reply is one of those to be lost."""
        with self._lock:
            if self.faults.lose_replies <= 0:
                return False
            self.faults.lose_replies -= 1
            self.faults.lost += 1
            return True

    def set_faults(self, wanted: dict[str, Any]) -> bool:
        if not self._with_faults:
            return False
        with self._lock:
            self.faults.lose_replies = int(wanted.get("lose_replies", self.faults.lose_replies))
            self.faults.unavailable = bool(wanted.get("unavailable", self.faults.unavailable))
        return True


def _handler(server: SandboxServer, api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version = "Werkzeug"
        sys_version = ""
        timeout = 60.0  # a caller that stalls frees its thread

        def do_POST(self) -> None:
            given = self.headers.get("Content-Length") or "0"
            if not given.isdigit() or int(given) > _LARGEST_BODY:
                self._send(HttpResponse(413 if given.isdigit() else 400, b"", "text/html"))
                return
            length = int(given)
            body = self.rfile.read(length)
            if self.path == _FAULTS_PATH:
                self._set_faults(body)
                return
            if server.faults.unavailable:
                self._send(HttpResponse(503, b"<html>Service Unavailable</html>", "text/html"))
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = api.respond(HttpRequest("POST", self.path, headers, body))
            if self.path.startswith(("/jsonrpc", "/json/2")) and server.loses_reply():
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(response)

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(api.respond(HttpRequest("GET", self.path, headers, b"")))

        def _set_faults(self, body: bytes) -> None:
            try:
                wanted = json.loads(body)
            except ValueError:
                wanted = None
            accepted = isinstance(wanted, dict) and server.set_faults(wanted)
            self._send(HttpResponse(200 if accepted else 404, b"{}"))

        def _send(self, response: HttpResponse) -> None:
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Silent: requests carry credentials."""

    return Handler
