"""A proxy before an Odoo server that loses what it is told to lose: requests, answers, and patience."""

from __future__ import annotations

import enum
import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 120.0
_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding", "keep-alive"})


class Fate(enum.Enum):
    """What becomes of a call. The caller sees the same of all three: a connection that ended without an answer."""

    REQUEST_LOST = "Odoo never hears of it"
    HUNG_UP = "the caller is cut off while Odoo is at work on it"
    REPLY_LOST = "Odoo has done it and answered"


class LossyProxy:
    """Passes calls on to `url`; the first ones of each method named in `fates` meet these fates, in order."""

    def __init__(self, url: str, fates: Mapping[str, Sequence[Fate]]) -> None:
        self._upstream = urlsplit(url)
        self._waiting = {method: list(some) for method, some in fates.items()}
        self._lock = threading.Lock()
        self.met: Counter[tuple[str, Fate]] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> LossyProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fate_of(self, path: str, body: bytes) -> Fate | None:
        """What this call meets; none: it passes."""
        method = method_of(path, body)
        with self._lock:
            waiting = self._waiting.get(method)
            if not waiting:
                return None
            fate = waiting.pop(0)
            self.met[method, fate] += 1
            return fate

    def forward(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Odoo's own answer."""
        host, port = self._upstream.hostname or "127.0.0.1", self._upstream.port
        upstream = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() not in _HOP}
            upstream.request("POST", path, body, kept)
            answer = upstream.getresponse()
            text = answer.read()
            return answer.status, {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}, text
        finally:
            upstream.close()


def method_of(path: str, body: bytes) -> str:
    """The model's method that a call of either API names; empty for a login and the like."""
    if path.startswith("/json/2/"):
        return path.rpartition("/")[2]
    try:
        params = json.loads(body)["params"]
        return str(params["args"][4]) if params["method"] in ("execute", "execute_kw") else ""
    except (ValueError, KeyError, TypeError, IndexError):
        return ""


def _handler(proxy: LossyProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_SECONDS

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fate = proxy.fate_of(self.path, body)
            if fate is Fate.REQUEST_LOST:
                self._cut_off()
                return
            if fate is Fate.HUNG_UP:
                self._cut_off()
            status, headers, text = proxy.forward(self.path, dict(self.headers.items()), body)
            if fate is Fate.REPLY_LOST:
                self._cut_off()
            if fate is not None:
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _cut_off(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Silent: requests carry credentials."""

    return Handler
