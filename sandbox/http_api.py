"""The sandbox's answers to HTTP requests, envelope by envelope as recorded; no sockets here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import catalogue
from .engine import Sandbox
from .failures import ServerFailure, access_denied, access_error, attribute_error, key_error

_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_NO_DATABASE = (
    "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    "<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n"
)
_STATUS = {
    "odoo.exceptions.AccessError": 403,
    "odoo.exceptions.AccessDenied": 403,
    "odoo.exceptions.MissingError": 404,
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
    "odoo.exceptions.RedirectWarning": 422,
}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP answer."""

    status: int
    body: bytes
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Api:
    """Odoo's routes on one sandbox. `tokens` makes session ids: the server's business, not the books'."""

    def __init__(self, sandbox: Sandbox, tokens: Callable[[], str]) -> None:
        self._sandbox = sandbox
        self._tokens = tokens
        self._sessions: dict[str, int] = {}

    def respond(self, request: HttpRequest) -> HttpResponse:
        """The answer; a refusal by the books is an answer too."""
        path = request.path.partition("?")[0]
        if path.startswith("/json/2") and self._sandbox.version >= 19:
            return self._json2(request, path)
        route = {
            "/jsonrpc": self._jsonrpc,
            "/web/webclient/version_info": lambda params, request: (self._version(), {}),
            "/web/session/authenticate": self._open_session,
            "/web/session/destroy": self._close_session,
            "/web/dataset/call_kw": self._call_kw,
        }.get(path)
        if route is None or request.method != "POST":
            return HttpResponse(404, b"<!doctype html>\n<title>404 Not Found</title>\n", _HTML)
        try:
            call = json.loads(request.body)
        except ValueError:
            return HttpResponse(400, b"Invalid JSON data", _HTML)
        if not isinstance(call, dict):
            return HttpResponse(400, b"Invalid JSON-RPC data", _HTML)
        params = call.get("params") or {}
        try:
            result, headers = route(params, request)
        except ServerFailure as failure:
            return self._envelope(call, failure)
        return _json(200, {"jsonrpc": "2.0", "id": call.get("id"), "result": result}, headers)

    def _envelope(self, call: Mapping[str, Any], failure: ServerFailure) -> HttpResponse:
        code, message, data = (200 if self._sandbox.version < 19 else 0), "Odoo Server Error", _facts(failure)
        identity = call.get("id")
        if failure.name == "odoo.http.SessionExpiredException":
            code, message, identity = 100, "Odoo Session Expired", None
        error = {"code": code, "message": message, "data": data}
        return _json(200, {"jsonrpc": "2.0", "id": identity, "error": error}, {})

    def _version(self) -> dict[str, Any]:
        major = self._sandbox.version
        return {
            "server_version": f"{major}.0",
            "server_version_info": [major, 0, 0, "final", 0, ""],
            "server_serie": f"{major}.0",
            "protocol_version": 1,
        }

    def _open_session(self, params: Mapping[str, Any], request: HttpRequest) -> tuple[Any, Mapping[str, str]]:
        if params.get("db") != self._sandbox.database:
            raise access_error("Database not found.")
        user_id = self._sandbox.authenticate(str(params.get("login")), str(params.get("password") or ""))
        if user_id is None:
            raise access_denied()
        token = self._tokens()
        self._sessions[token] = user_id
        facts = self._version()
        result = {
            "uid": user_id,
            "user_context": {"lang": "en_US", "tz": False, "uid": user_id},
            "db": self._sandbox.database,
            "username": params.get("login"),
            "server_version": facts["server_version"],
            "server_version_info": facts["server_version_info"],
        }
        return result, {"Set-Cookie": f"session_id={token}; HttpOnly; Path=/; SameSite=Lax"}

    def _close_session(self, params: Mapping[str, Any], request: HttpRequest) -> tuple[Any, Mapping[str, str]]:
        self._sessions.pop(_session_id(request), None)
        return None, {}

    def _call_kw(self, params: Mapping[str, Any], request: HttpRequest) -> tuple[Any, Mapping[str, str]]:
        user_id = self._sessions.get(_session_id(request))
        if user_id is None:
            raise ServerFailure("odoo.http.SessionExpiredException", "Session expired")
        arguments = (params.get("args") or [], params.get("kwargs") or {})
        return self._sandbox.execute(user_id, str(params.get("model")), str(params.get("method")), *arguments), {}

    def _jsonrpc(self, params: Mapping[str, Any], request: HttpRequest) -> tuple[Any, Mapping[str, str]]:
        service, method, args = params.get("service"), str(params.get("method")), list(params.get("args") or [])
        if service == "common":
            return self._common(method, args), {}
        if service == "db" and method == "list":
            return [self._sandbox.database], {}
        if service != "object":
            raise key_error(str(service))
        if method not in ("execute", "execute_kw") or len(args) < 5:
            raise attribute_error(f"Method not available {method}")
        database, user_id, secret, model, name, *rest = args
        self._check_database(database)
        self._sandbox.authorise(int(user_id), str(secret))
        positional, named = (rest, {}) if method == "execute" else (_at(rest, 0, []), _at(rest, 1, {}))
        return self._sandbox.execute(int(user_id), str(model), str(name), list(positional), named), {}

    def _common(self, method: str, args: list[Any]) -> Any:
        if method == "version":
            return self._version()
        if method in ("login", "authenticate") and len(args) >= 3:
            self._check_database(args[0])
            return self._sandbox.authenticate(str(args[1]), str(args[2])) or False
        raise attribute_error(f"Method not available {method}")

    def _check_database(self, name: Any) -> None:
        if name != self._sandbox.database:
            raise ServerFailure(
                "psycopg2.OperationalError",
                f'connection to server at "127.0.0.1", port 5432 failed: FATAL:  database "{name}" does not exist\n',
            )

    def _json2(self, request: HttpRequest, path: str) -> HttpResponse:
        """JSON-2: a bearer key, named arguments, the bare result, and statuses that mean something."""
        asked = request.headers.get("x-odoo-database")
        if asked is not None and asked != self._sandbox.database:
            return HttpResponse(404, _NO_DATABASE.encode(), _HTML)
        parts = path.split("/")
        if request.method != "POST" or len(parts) != 5:
            return _werkzeug(404, "NotFound", "Did you mean POST /json/2/<model>/<method>?")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return HttpResponse(415, b"<!doctype html>\n<title>415 Unsupported Media Type</title>\n", _HTML)
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            text = "User not authenticated, use an API Key with a Bearer Authorization header."
            return _werkzeug(401, "Unauthorized", text)
        user_id = self._sandbox.user_of_key(key.strip())
        if user_id is None:
            return _werkzeug(401, "Unauthorized", "Invalid apikey")
        try:
            body = json.loads(request.body)
        except ValueError as error:
            return _werkzeug(400, "BadRequest", f"could not parse the body as json: {error}")
        return self._call_named(user_id, parts[3], parts[4], body if isinstance(body, dict) else {})

    def _call_named(self, user_id: int, model: str, method: str, body: dict[str, Any]) -> HttpResponse:
        if model not in self._sandbox.store.schema:
            return _werkzeug(404, "NotFound", f"the model '{model}' does not exist")
        found = catalogue.method_of(self._sandbox.version, model, method)
        if found is None and not method.startswith("_"):
            return _werkzeug(404, "NotFound", f"The method '{model}.{method}' does not exist")
        args = []
        if found is not None:
            if "ids" in body and not found.on_ids:
                return _werkzeug(422, "UnprocessableEntity", f"cannot call {model}.{method} with ids")
            missing = [name for name in found.names[: found.needed] if name not in body]
            if missing:
                return _werkzeug(422, "UnprocessableEntity", f"missing a required argument: '{missing[0]}'")
            args = [body.pop("ids", [])] if found.on_ids else []
        try:
            return _json(200, self._sandbox.execute(user_id, model, method, args, body), {})
        except ServerFailure as failure:
            return _json(_STATUS.get(failure.name, 500), _facts(failure), {})


def _session_id(request: HttpRequest) -> str:
    cookies = request.headers.get("cookie", "").split(";")
    return next((part.strip()[11:] for part in cookies if part.strip().startswith("session_id=")), "")


def _at(values: list[Any], index: int, default: Any) -> Any:
    return values[index] if len(values) > index and values[index] is not None else default


def _facts(failure: ServerFailure) -> dict[str, Any]:
    return {
        "name": failure.name,
        "message": failure.message,
        "arguments": [failure.message],
        "context": {},
        "debug": f"Traceback (most recent call last):\n{failure.name}: {failure.message}\n",
    }


def _json(status: int, value: Any, headers: Mapping[str, str]) -> HttpResponse:
    return HttpResponse(status, json.dumps(value).encode(), _JSON, headers)


def _werkzeug(status: int, name: str, message: str) -> HttpResponse:
    facts = {"name": f"werkzeug.exceptions.{name}", "message": message, "arguments": [message, status], "context": {}}
    headers = {"WWW-Authenticate": "Bearer "} if status == 401 else {}
    return _json(status, facts | {"debug": f"werkzeug.exceptions.{name}: {message}\n"}, headers)
