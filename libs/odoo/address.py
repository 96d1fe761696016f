"""Where an Odoo server is, checked before anything is sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


class BadAddress(ValueError):
    """The URL cannot be an Odoo server's, or holds credentials, which have their own arguments."""


@dataclass(frozen=True, slots=True)
class Address:
    """Scheme, host and port of a server; `path` is a prefix that a proxy may add."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Address:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadAddress("an Odoo URL starts with http:// or https:// and names a host")
        if parts.username is not None or parts.password is not None:
            raise BadAddress("credentials do not belong into the Odoo URL")
        if parts.query or parts.fragment:
            raise BadAddress("an Odoo URL has no query and no fragment")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"
