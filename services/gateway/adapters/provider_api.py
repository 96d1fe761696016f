"""Providers' APIs over HTTPS, read only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from providers.base import ApiDialect, ApiQuery, Source
from providers.errors import ApiRefused, ApiUnavailable

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
        timeout = httpx.Timeout(timeout_seconds, connect=min(5.0, timeout_seconds))
        # No proxy or netrc from the environment: the key must go to its provider alone, and no redirect may take it
        # away.
        self._client = httpx.Client(timeout=timeout, transport=transport, trust_env=False, follow_redirects=False)

    def fetch(self, source: Source, query: ApiQuery) -> bytes:
        access = self._access.get(source.interface)
        if access is None:
            raise ApiRefused("no API access is configured for this source")
        url, headers = f"{access.base_url.rstrip('/')}{query.path}", access.api.headers(access.key)
        try:
            with self._client.stream("GET", url, params=list(query.parameters), headers=headers) as response:
                body = _read(response)
        except httpx.HTTPError as error:
            raise ApiUnavailable(f"the API did not answer ({type(error).__name__})") from None
        status = response.status_code
        if status in access.api.busy or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ApiUnavailable(f"the API cannot answer now ({status})", metadata={"status": str(status)})
        if status != httpx.codes.OK:
            raise ApiRefused(f"the API refused ({status})", metadata={"status": str(status)})
        return body

    def close(self) -> None:
        self._client.close()


def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise ApiRefused("the API's answer is larger than any page is")
    return bytes(body)
