"""The port over JSON-RPC by OdooRPC: every Odoo up to 19, and later ones while they answer it.

OdooRPC holds one login for each instance, so each thread gets an instance of its own.
"""

from __future__ import annotations

import http.client
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import odoorpc

from .address import Address, BadAddress
from .errors import OdooDenied, OdooError, OdooMalformed, OdooOutcomeUnknown, OdooUnavailable, error_for
from .port import Json

# At its debug level OdooRPC logs whole requests, and `execute_kw` carries the password.
logging.getLogger("odoorpc.rpc.jsonrpclib").addFilter(lambda record: False)


class _NotConnected(OSError):
    """No connection came about: nothing can have been sent."""


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except OSError as error:
            raise _NotConnected(type(error).__name__) from None


class _SecureConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except OSError as error:
            raise _NotConnected(type(error).__name__) from None


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, request)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET; better to say that the address is wrong."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class JsonRpcOdoo:
    """`Odoo` by JSON-RPC. The secret is a password or an API key.

    `timeout_seconds` should exceed a minute: Odoo retries conflicts inside the request, and
    a call that we give up on may still be committed.
    """

    def __init__(
        self, url: str, db: str, user: str, secret: str, *, timeout_seconds: float = 120.0, version: int | None = None
    ) -> None:
        self._address = Address.of(url)
        if self._address.path:
            raise BadAddress("JSON-RPC by OdooRPC needs Odoo at the root of its host")
        self._db = db
        self._user = user
        self._secret = secret
        self._timeout_seconds = timeout_seconds
        self._threads = threading.local()
        self._version = version

    def __repr__(self) -> str:
        return f"JsonRpcOdoo({self._address.url!r}, db={self._db!r}, user={self._user!r})"

    @property
    def version(self) -> int:
        """The server's major version; asks it the first time."""
        if self._version is None:
            self._session()
        return int(self._version or 0)

    def close(self) -> None:
        """Nothing is kept open: OdooRPC connects for each call."""

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        """See `libs.odoo.port.Odoo.execute`."""
        session = self._session()
        try:
            return session.execute_kw(model, method, list(args), dict(kwargs or {}))
        except _FAILURES as failure:
            error = _error_of(failure)
        if isinstance(error, OdooDenied):
            self._threads.session = None  # log in anew next time: the password may have changed
        raise error

    def _session(self) -> Any:
        session = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = self._log_in()
        return session

    def _log_in(self) -> Any:
        """A new instance for this thread. Nothing of the caller's was sent, whatever fails here."""
        protocol = "jsonrpc+ssl" if self._address.scheme == "https" else "jsonrpc"
        opener = urllib.request.build_opener(_Http, _Https, _NoRedirect)
        try:
            session = odoorpc.ODOO(
                self._address.host,
                protocol=protocol,
                port=self._address.port,
                timeout=self._timeout_seconds,
                version=None,
                opener=opener,
            )
            self._version = int(str(session.version).split(".", maxsplit=1)[0].removeprefix("saas~"))
            session.login(self._db, self._user, self._secret)
        except _FAILURES as failure:
            error = _error_of(failure)
        else:
            return session
        if isinstance(error, OdooOutcomeUnknown):
            raise OdooUnavailable(error.name, error.message)
        raise error


_FAILURES = (odoorpc.error.Error, OSError, http.client.HTTPException, ValueError, KeyError)


def _error_of(failure: BaseException) -> OdooError:
    """What a failed exchange means; anything that may have reached the database is unknown."""
    if isinstance(failure, odoorpc.error.RPCError):
        return _of_answer(failure.info, str(failure))
    if isinstance(failure, odoorpc.error.InternalError):
        return OdooMalformed("odoorpc.InternalError")
    if isinstance(failure, urllib.error.HTTPError):
        failure.close()
        return error_of_status(failure.code)
    reason = failure.reason if isinstance(failure, urllib.error.URLError) else failure
    if isinstance(reason, _NotConnected):
        return OdooUnavailable(str(reason))
    return OdooOutcomeUnknown(type(reason).__name__)


def _of_answer(info: Any, message: str) -> OdooError:
    if not info:  # OdooRPC's own word for a login that was answered with false
        return OdooDenied("odoo.exceptions.AccessDenied", message)
    data = info.get("data") or {}
    return error_for(str(data.get("name", "")), str(data.get("message", "")))


def error_of_status(status: int) -> OdooError:
    """An answer that is not Odoo's: a proxy's, or a page. A 5xx may come after the work was done."""
    name = f"HTTP {status}"
    if status in (401, 403):
        return OdooDenied(name)
    if status == 429:
        return OdooUnavailable(name)
    return OdooOutcomeUnknown(name) if status >= 500 else OdooMalformed(name)
