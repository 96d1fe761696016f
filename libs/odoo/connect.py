"""Choosing the adapter: what the server is decides, not what we hope."""

from __future__ import annotations

import httpx

from .address import Address
from .errors import OdooMalformed, OdooUnavailable
from .json2 import Json2Odoo
from .jsonrpc import JsonRpcOdoo

FIRST_WITH_JSON2 = 19


def connect(
    url: str,
    db: str,
    user: str,
    password: str | None = None,
    api_key: str | None = None,
    *,
    timeout_seconds: float = 120.0,
) -> JsonRpcOdoo | Json2Odoo:
    """An `Odoo` for this user: JSON-2 on 19 or later where there is an API key, else JSON-RPC.

    Asks the server for its version; raises `OdooUnavailable` when it does not answer. The
    credentials are tried by the first call.
    """
    if not password and not api_key:
        raise ValueError("Odoo needs a password or an API key")
    version = server_version(url, timeout_seconds=min(timeout_seconds, 15.0))
    if api_key and version >= FIRST_WITH_JSON2:
        return Json2Odoo(url, db, api_key, timeout_seconds=timeout_seconds, version=version)
    secret = password or api_key or ""
    return JsonRpcOdoo(url, db, user, secret, timeout_seconds=timeout_seconds, version=version)


def server_version(url: str, *, timeout_seconds: float = 15.0) -> int:
    """The server's major version, by the one question that needs no login."""
    address = Address.of(url)
    question = {"jsonrpc": "2.0", "method": "call", "params": {}, "id": 1}
    try:
        answer = httpx.post(f"{address.url}/web/webclient/version_info", json=question, timeout=timeout_seconds)
    except httpx.HTTPError as failure:
        raise OdooUnavailable(type(failure).__name__) from None
    if answer.status_code >= 500 or answer.status_code == 429:
        raise OdooUnavailable(f"HTTP {answer.status_code}")
    try:
        return int(answer.json()["result"]["server_version_info"][0])
    except (ValueError, KeyError, IndexError, TypeError):
        raise OdooMalformed("NotOdoo", "the address does not answer as an Odoo server") from None
