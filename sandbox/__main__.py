"""`python -m sandbox --data FILE --port N --version 18`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from datetime import UTC, datetime

from .engine import Sandbox
from .seed import bootstrap
from .server import SandboxServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the first line on stdout is JSON with the address."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--data", default=":memory:", help="the file that keeps the books (default: memory)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8069, help="0 takes a free one")
    parser.add_argument("--version", type=int, choices=(18, 19), default=18, help="the Odoo version to imitate")
    parser.add_argument("--database", default="sandbox")
    parser.add_argument("--api-key", action="append", default=[], metavar="LOGIN=KEY", help="a key for a user")
    parser.add_argument("--with-faults", action="store_true", help="accept POST /sandbox/faults (demo and tests)")
    options = parser.parse_args(arguments)
    sandbox = Sandbox(options.data, lambda: datetime.now(UTC), options.version, options.database)
    bootstrap(sandbox)
    for pair in options.api_key:
        login, _, key = pair.partition("=")
        sandbox.add_api_key(login, key)
    server = SandboxServer(sandbox, options.port, options.host, options.with_faults)
    _stop_on_signals(server)
    started = {"url": server.url, "database": options.database, "version": options.version}
    sys.stdout.write(json.dumps(started) + "\n")
    sys.stdout.flush()
    server.serve()
    sandbox.close()
    return 0


def _stop_on_signals(server: SandboxServer) -> None:
    def stop(number: int, frame: object) -> None:
        # `stop` waits for `serve`, which this thread is running: ask from another one.
        threading.Thread(target=server.stop, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


if __name__ == "__main__":
    raise SystemExit(main())
