"""A server that answers what a test scripts, or breaks off as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

# What to do with a call: a status with a body, or None to break the connection.
Answer: TypeAlias = tuple[int, bytes, dict[str, str]] | None
Script: TypeAlias = Callable[[str, dict[str, Any]], Answer]


def page(status: int, text: str = "<html>oops</html>", **headers: str) -> Answer:
    return status, text.encode(), {"Content-Type": "text/html", **headers}


def json_answer(value: Any, status: int = 200) -> Answer:
    return status, json.dumps(value).encode(), {"Content-Type": "application/json"}


def result(value: Any) -> Answer:
    return json_answer({"jsonrpc": "2.0", "id": 1, "result": value})


def failure(name: str, message: str = "") -> Answer:
    data = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": ""}
    return json_answer({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "x", "data": data}})


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """The address of a server that plays the script."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            answer = script(self.path, json.loads(self.rfile.read(length) or b"{}"))
            if answer is None:
                self.connection.close()
                return
            status, body, headers = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def logged_in(then: Script) -> Script:
    """The script for calls after OdooRPC's greeting, login and question for its context."""

    def script(path: str, body: dict[str, Any]) -> Answer:
        if path == "/web/webclient/version_info":
            return result({"server_version": "18.0", "server_version_info": [18, 0, 0, "final", 0, ""]})
        params = body.get("params", {})
        if params.get("service") == "common":
            return result(2)
        if params.get("args", [])[3:5] == ["res.users", "context_get"]:
            return result({"lang": "en_US"})
        return then(path, body)

    return script
