"""Providers' APIs over HTTPS, read only. The HTTP client is imported by the first fetch: a start needs none."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from providers.base import ApiDialect, ApiQuery, Source
from providers.errors import ApiRefused, ApiUnavailable

if TYPE_CHECKING:
    import httpx

OK, INTERNAL_SERVER_ERROR = 200, 500  # RFC 9110, section 15
MAX_ANSWER_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """How an account's API is reached. A restricted key with read rights serves."""

    api: ApiDialect
    key: str = field(repr=False)
    base_url: str


class HttpApi:
    """One connection pool for all accounts; each request bears its own account's key."""

    def __init__(
        self,
        access: Mapping[str, ApiAccess],
        *,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`access` by `{provider}/{account}`; `transport` is for tests and the simulation."""
        self._access = access
        self._timeout_seconds = timeout_seconds
        self._transport = transport
        self._client: httpx.Client | None = None
        self._guard = threading.Lock()

    def fetch(self, source: Source, query: ApiQuery) -> bytes:
        import httpx

        access = self._access.get(source.interface)
        if access is None:
            raise ApiRefused("no API access is configured for this source")
        url, headers = f"{access.base_url.rstrip('/')}{query.path}", access.api.headers(access.key)
        try:
            with self._connected().stream("GET", url, params=list(query.parameters), headers=headers) as response:
                body = _read(response)
        except httpx.HTTPError as error:
            raise ApiUnavailable(f"the API did not answer ({type(error).__name__})") from None
        status = response.status_code
        if status in access.api.busy or status >= INTERNAL_SERVER_ERROR:
            raise ApiUnavailable(f"the API cannot answer now ({status})", metadata={"status": str(status)})
        if status != OK:
            raise ApiRefused(f"the API refused ({status})", metadata={"status": str(status)})
        return body

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _connected(self) -> httpx.Client:
        import httpx

        with self._guard:
            if self._client is None:
                timeout = httpx.Timeout(self._timeout_seconds, connect=min(5.0, self._timeout_seconds))
                # No proxy or netrc from the environment: the key must go to its provider alone, and no redirect may
                # take it away.
                self._client = httpx.Client(
                    timeout=timeout, transport=self._transport, trust_env=False, follow_redirects=False
                )
            return self._client


def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise ApiRefused("the API's answer is larger than any page is")
    return bytes(body)
