"""Make an API key for an Odoo user: Odoo gives keys only over a web session, to the user who is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx

from libs.errors import ConcordError, Kind

TIMEOUT_SECONDS = 60.0


class KeyRefused(ConcordError):
    """Odoo made no key; Odoo's class of error is in the message, its text is not."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    reason: ClassVar[str] = "ODOO_API_KEY_REFUSED"


def make_api_key(url: str, database: str, login: str, password: str, name: str, days: int) -> str:
    """A new key named `name` that ends after `days` days (1, 7, 30 or 90: Odoo's own choices).

    Raises KeyRefused for wrong credentials, a duration that the user's groups do not allow, or no answer.
    """
    with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as web:
        session = _call(web, "/web/session/authenticate", {"db": database, "login": login, "password": password})
        if not isinstance(session, Mapping) or not session.get("uid"):
            raise KeyRefused("the login or the password is wrong")
        wizard = _method(web, "res.users.apikeys.description", "create", [{"name": name, "duration": str(days)}])
        check = _method(web, "res.users.apikeys.description", "make_key", [[wizard]])
        shown = _confirm(web, check, password) if check.get("res_model") == _CHECK else check
    key = (shown.get("context") or {}).get("default_key")
    if not isinstance(key, str) or not key:
        raise KeyRefused("Odoo answered without a key")
    return key


_CHECK = "res.users.identitycheck"


def _confirm(web: httpx.Client, check: Mapping[str, Any], password: str) -> Mapping[str, Any]:
    """Answer the identity check: Odoo 18 reads the password from the record, 19 from the context."""
    fields = _method(web, _CHECK, "fields_get", [["password"]])
    if "password" in fields:
        _method(web, _CHECK, "write", [[check["res_id"]], {"password": password}])
    confirmed: Mapping[str, Any] = _method(
        web, _CHECK, "run_check", [[check["res_id"]]], {"context": {"password": password}}
    )
    return confirmed


def _method(
    web: httpx.Client, model: str, method: str, args: list[Any], kwargs: Mapping[str, Any] | None = None
) -> Any:
    call = {"model": model, "method": method, "args": args, "kwargs": dict(kwargs or {})}
    return _call(web, f"/web/dataset/call_kw/{model}/{method}", call)


def _call(web: httpx.Client, path: str, params: Mapping[str, Any]) -> Any:
    try:
        response = web.post(path, json={"jsonrpc": "2.0", "method": "call", "id": 1, "params": dict(params)})
        answer = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise KeyRefused(f"no usable answer from {path}: {type(error).__name__}") from error
    if "error" in answer:
        raise KeyRefused(f"Odoo: {answer['error'].get('data', {}).get('name', 'error')}")
    return answer.get("result")
