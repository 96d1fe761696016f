"""The port over JSON-2, Odoo 19's own API: named arguments, an API key, real status codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from .address import Address
from .errors import OdooError, OdooMalformed, OdooOutcomeUnknown, OdooUnavailable, error_for
from .jsonrpc import error_of_status
from .port import Json

_PAGE = ("offset", "limit", "order")
# What each method's arguments are called, in the order in which the port gives them;
# "ids" first means that the method works on records.
_NAMES: dict[str, tuple[str, ...]] = {
    "create": ("vals_list",),
    "write": ("ids", "vals"),
    "unlink": ("ids",),
    "read": ("ids", "fields", "load"),
    "search": ("domain", *_PAGE),
    "search_read": ("domain", "fields", *_PAGE),
    "search_count": ("domain", "limit"),
    "load": ("fields", "data"),
    "fields_get": ("allfields", "attributes"),
    "formatted_read_group": ("domain", "groupby", "aggregates", "having", *_PAGE),
    "get_external_id": ("ids",),
    "check_object_reference": ("module", "xml_id", "raise_on_access_error"),
    "has_group": ("ids", "group_ext_id"),
    "context_get": (),
    "action_post": ("ids",),
    "button_draft": ("ids",),
    "button_cancel": ("ids",),
    "reconcile": ("ids",),
    "remove_move_reconcile": ("ids",),
    "refund_moves": ("ids",),
    "modify_moves": ("ids",),
    "action_undo_reconciliation": ("ids",),
    "action_revoke": ("ids",),
}


class Json2Odoo:
    """`Odoo` by JSON-2. The user is whoever the API key belongs to. Safe to share between threads."""

    def __init__(
        self,
        url: str,
        db: str,
        api_key: str,
        *,
        timeout_seconds: float = 120.0,
        version: int = 19,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._address = Address.of(url)
        self._db = db
        self.version = version
        self._client = httpx.Client(
            base_url=self._address.url,
            headers={"Authorization": f"bearer {api_key}", "X-Odoo-Database": db},
            timeout=timeout_seconds,
            transport=transport,
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return f"Json2Odoo({self._address.url!r}, db={self._db!r})"

    def close(self) -> None:
        self._client.close()

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        """See `libs.odoo.port.Odoo.execute`."""
        body = _named(method, args, dict(kwargs or {}))
        single = method == "create" and isinstance(body.get("vals_list"), Mapping)
        if single:
            body["vals_list"] = [body["vals_list"]]
        result = self._post(f"/json/2/{model}/{method}", body)
        return result[0] if single else result

    def _post(self, path: str, body: dict[str, Any]) -> Json:
        try:
            response = self._client.post(path, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as failure:
            raise OdooUnavailable(type(failure).__name__) from None
        except httpx.HTTPError as failure:
            raise OdooOutcomeUnknown(type(failure).__name__) from None
        if response.status_code != 200:
            raise _error_of(response)
        try:
            return response.json()
        except ValueError:
            raise OdooOutcomeUnknown("UnreadableAnswer") from None


def _named(method: str, args: list[Json], kwargs: dict[str, Json]) -> dict[str, Json]:
    """Positional arguments by their names."""
    if not args:
        return kwargs
    names = _NAMES.get(method)
    if names is None or len(args) > len(names):
        raise OdooMalformed("builtins.TypeError", f"the names of the arguments of {method} are not known")
    return dict(zip(names, args, strict=False)) | kwargs


def _error_of(response: httpx.Response) -> OdooError:
    """By the class name in the body, where there is one: a status of 500 alone says too little."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, Mapping) and isinstance(body.get("name"), str):
        return error_for(body["name"], str(body.get("message", "")))
    if response.status_code == 404:  # a page: no such database
        return OdooUnavailable("HTTP 404")
    return error_of_status(response.status_code)
