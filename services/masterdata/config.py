"""Masterdata's configuration. A missing or contradictory value stops the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from libs.rpc.config import ConfigInvalid, Reader, ServerConfig
from libs.storage.engine import database_url

LISTEN = "127.0.0.1:50052"
SYNC_INTERVAL_SECONDS = 900
CALL_LIMIT_SECONDS = 600.0  # a first sync of a large company takes minutes
ODOO_TIMEOUT_SECONDS = 120
_COMPANY = re.compile(r"([A-Za-z0-9][A-Za-z0-9._~-]{0,63})(?:=([1-9]\d{0,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class OdooAccess:
    """The masters' own user in Odoo: it reads accounts, journals, taxes and partners, and writes no books."""

    url: str
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = ODOO_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class MasterdataConfig:
    """Everything that the process needs to know."""

    database_url: str = field(repr=False)
    rpc: ServerConfig
    odoo: OdooAccess
    companies: Mapping[str, int]
    sync_interval_seconds: float

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> MasterdataConfig:
        """`CONCORD_MASTERDATA_…`, else `CONCORD_…`: `ODOO_URL`, `ODOO_DB`, `ODOO_USER`, `ODOO_PASSWORD` or
        `ODOO_API_KEY`, `ODOO_TIMEOUT_SECONDS`; of its own alone `CONCORD_MASTERDATA_COMPANIES` (`acme=1,beta=3`: our
        names and Odoo's ids; empty where Odoo has one company) and `CONCORD_MASTERDATA_SYNC_SECONDS` (0: only when
        asked). Raises `ConfigInvalid`."""
        read = Reader(env, "masterdata")
        interval = read.text("SYNC_SECONDS", own_only=True) or str(SYNC_INTERVAL_SECONDS)
        if not re.fullmatch(r"\d{1,7}", interval, re.ASCII):
            raise ConfigInvalid("CONCORD_MASTERDATA_SYNC_SECONDS must be a whole number of seconds")
        return cls(
            database_url=database_url(env, "masterdata"),
            rpc=replace(ServerConfig.from_env(env, "masterdata", LISTEN), unary_limit_seconds=CALL_LIMIT_SECONDS),
            odoo=_odoo(read),
            companies=read_companies(read.text("COMPANIES", own_only=True) or ""),
            sync_interval_seconds=int(interval),
        )


def read_companies(text: str) -> dict[str, int]:
    """`acme=1,beta=3` as a mapping; without a number a company is the only one that Odoo shows."""
    found: dict[str, int] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = _COMPANY.fullmatch(part)
        if match is None or match[1] in found:
            raise ConfigInvalid("CONCORD_MASTERDATA_COMPANIES must be of the form acme=1,beta=3, each name once")
        found[match[1]] = int(match[2] or 0)
    if len(found) > 1 and len(set(found.values()) - {0}) < len(found):
        raise ConfigInvalid("CONCORD_MASTERDATA_COMPANIES must give each of several companies an id of its own")
    return found


def _odoo(read: Reader) -> OdooAccess:
    password, api_key = read.text("ODOO_PASSWORD"), read.text("ODOO_API_KEY")
    values = {name: read.text(name) for name in ("ODOO_URL", "ODOO_DB", "ODOO_USER")}
    missing = [f"CONCORD_{name}" for name, value in values.items() if not value]
    if not password and not api_key:
        missing.append("CONCORD_ODOO_PASSWORD or CONCORD_ODOO_API_KEY")
    if missing:
        raise ConfigInvalid(f"not set: {', '.join(missing)}")
    return OdooAccess(
        values["ODOO_URL"] or "",
        values["ODOO_DB"] or "",
        values["ODOO_USER"] or "",
        password,
        api_key,
        read.number("ODOO_TIMEOUT_SECONDS", ODOO_TIMEOUT_SECONDS),
    )
