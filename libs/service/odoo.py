"""A service's Odoo: configured alike everywhere, connected when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from libs.odoo.port import Json
from libs.rpc.config import ConfigInvalid, Reader

if TYPE_CHECKING:
    from libs.odoo.json2 import Json2Odoo
    from libs.odoo.jsonrpc import JsonRpcOdoo


@dataclass(frozen=True, slots=True)
class OdooConfig:
    """Where the books are, and as whom a service calls: each has a user of its own, with its own rights."""

    url: str
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 120.0

    @classmethod
    def from_env(cls, env: Mapping[str, str], service: str) -> OdooConfig:
        """`CONCORD_{SERVICE}_…`, else `CONCORD_…`: `ODOO_URL`, `ODOO_DB`, `ODOO_USER`, `ODOO_PASSWORD` or
        `ODOO_API_KEY`, `ODOO_TIMEOUT_SECONDS`. Raises `ConfigInvalid`."""
        read = Reader(env, service)
        url, database, user = (read.text(f"ODOO_{name}") for name in ("URL", "DB", "USER"))
        password, api_key = read.text("ODOO_PASSWORD"), read.text("ODOO_API_KEY")
        if not (url and database and user and (password or api_key)):
            named = {
                "CONCORD_ODOO_URL": url,
                "CONCORD_ODOO_DB": database,
                "CONCORD_ODOO_USER": user,
                "CONCORD_ODOO_PASSWORD or CONCORD_ODOO_API_KEY": password or api_key,
            }
            raise ConfigInvalid(f"not set: {', '.join(name for name, value in named.items() if not value)}")
        return cls(url, database, user, password, api_key, read.number("ODOO_TIMEOUT_SECONDS", 120))


class LazyOdoo:
    """An `Odoo` that connects at its first call, and tries again at each until it answers: a service starts, and does
    what it can, while Odoo is down."""

    def __init__(self, config: OdooConfig) -> None:
        self._config = config
        self._odoo: JsonRpcOdoo | Json2Odoo | None = None
        self._guard = threading.Lock()

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        """See `libs.odoo.port.Odoo`; `OdooUnavailable` also while no connection can be made."""
        return self._connected().execute(model, method, args, kwargs)

    def close(self) -> None:
        """Give the connections back."""
        if self._odoo is not None:
            self._odoo.close()

    def _connected(self) -> JsonRpcOdoo | Json2Odoo:
        # Late: the HTTP client and OdooRPC are a tenth of a start, and a connection can wait for the first call.
        from libs.odoo.connect import connect

        with self._guard:
            if self._odoo is None:
                config = self._config
                self._odoo = connect(
                    config.url,
                    config.database,
                    config.user,
                    config.password,
                    config.api_key,
                    timeout_seconds=config.timeout_seconds,
                )
            return self._odoo
