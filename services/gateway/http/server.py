"""uvicorn in a thread, with the face that `libs.service.process` expects of a server."""

from __future__ import annotations

import socket
import threading
from typing import Any, Protocol

import uvicorn

from libs.rpc.config import ServerTls, TransportRefused, is_loopback

from .protocol import LimitedProtocol


class HttpSettings(Protocol):
    """How to listen: `config.HttpConfig`."""

    @property
    def listen(self) -> str: ...

    @property
    def tls(self) -> ServerTls | None: ...

    @property
    def allow_plaintext(self) -> bool: ...

    @property
    def max_connections(self) -> int: ...


class HttpServer:
    """Listens once constructed.

    Raises `TransportRefused` for plaintext beyond loopback that is not allowed, OSError if the port is taken.
    """

    def __init__(self, application: Any, config: HttpSettings) -> None:
        if config.tls is None and not config.allow_plaintext and not is_loopback(config.listen):
            raise TransportRefused("plaintext beyond loopback must be allowed explicitly, or TLS configured")
        host, _, port = config.listen.rpartition(":")
        host = host.strip("[]") or "127.0.0.1"
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, int(port)))
        self._socket.listen(1024)
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                loop="uvloop",
                http=LimitedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                log_level="warning",
                server_header=False,
                proxy_headers=False,
                limit_concurrency=config.max_connections,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=10,
                ssl_certfile=config.tls.certificate_file if config.tls else None,
                ssl_keyfile=config.tls.private_key_file if config.tls else None,
            )
        )
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    def stop(self, grace_seconds: float = 10.0) -> None:
        """Take no new connections, let requests in flight end within the grace, then cut them. Blocks."""
        self._server.config.timeout_graceful_shutdown = max(1, int(grace_seconds))
        self._server.should_exit = True
        self._thread.join(grace_seconds + 2)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(2)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
