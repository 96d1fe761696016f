"""The ledger's configuration. A missing value stops the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.rpc.config import ConfigInvalid, Reader, ServerConfig
from libs.storage.engine import database_url

_INSTALLATION = re.compile(r"[a-z][a-z0-9]{0,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class OdooConfig:
    """Where the books are, and as whom we write to them."""

    url: str
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """Everything that the process needs to know."""

    database_url: str = field(repr=False)
    rpc: ServerConfig
    masterdata_address: str
    odoo: OdooConfig
    installation: str  # external ids in Odoo stand in the module `concord_{installation}`
    nats_url: str | None = field(default=None, repr=False)
    post_batch: int = 100

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> LedgerConfig:
        """`CONCORD_LEDGER_…`, else `CONCORD_…`; raises `ConfigInvalid`."""
        read = Reader(env, "ledger")
        installation = read.text("INSTALLATION") or "main"
        if _INSTALLATION.fullmatch(installation) is None:
            raise ConfigInvalid("CONCORD_INSTALLATION must be lower-case letters and digits, at most 31")
        return cls(
            database_url=database_url(env, "ledger"),
            rpc=ServerConfig.from_env(env, "ledger", "127.0.0.1:50053"),
            masterdata_address=env.get("CONCORD_MASTERDATA_ADDRESS") or "127.0.0.1:50052",
            odoo=_odoo(read),
            installation=installation,
            nats_url=read.text("NATS_URL"),
            post_batch=read.number("POST_BATCH", 100),
        )


def _odoo(read: Reader) -> OdooConfig:
    required = {name: read.text(f"ODOO_{name}") for name in ("URL", "DB", "USER")}
    missing = [f"CONCORD_ODOO_{name}" for name, value in required.items() if not value]
    password, api_key = read.text("ODOO_PASSWORD"), read.text("ODOO_API_KEY")
    if not password and not api_key:
        missing.append("CONCORD_ODOO_PASSWORD or CONCORD_ODOO_API_KEY")
    if missing:
        raise ConfigInvalid(f"not set: {', '.join(missing)}")
    return OdooConfig(
        url=required["URL"] or "",
        database=required["DB"] or "",
        user=required["USER"] or "",
        password=password,
        api_key=api_key,
        timeout_seconds=float(read.number("ODOO_TIMEOUT_SECONDS", 120)),
    )
