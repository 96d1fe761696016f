"""Recon's configuration. A contradictory value stops the start.

| variable | meaning | default |
| --- | --- | --- |
| `CONCORD_RECON_LISTEN` | where gRPC listens | `127.0.0.1:50054` |
| `CONCORD_LEDGER_ADDRESS` | the ledger | `127.0.0.1:50053` |
| `CONCORD_RECON_COMPANIES` | companies to watch from the start, by comma; others once something was imported | |
| `CONCORD_RECON_SETTLING_SECONDS` | see `domain.settings.Settings` | `3600` |
| `CONCORD_RECON_SETTLEMENT_ZONE` | IANA zone of report columns that name none | `UTC` |
| `CONCORD_NATS_URL` | where news of matches and differences is published | nowhere |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from libs.rpc.config import ConfigInvalid, Reader, ServerConfig
from libs.storage.engine import database_url

from .domain.settings import Settings

IMPORT_LIMIT_SECONDS = 1800.0
_COMPANY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReconConfig:
    """Everything that the process needs to know."""

    database_url: str = field(repr=False)
    rpc: ServerConfig
    ledger_address: str
    settings: Settings
    nats_url: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> ReconConfig:
        """Raises `ConfigInvalid`."""
        read = Reader(env, "recon")
        default = Settings()
        companies = tuple(
            one.strip() for one in (read.text("COMPANIES", own_only=True) or "").split(",") if one.strip()
        )
        if not all(_COMPANY.fullmatch(one) for one in companies):
            raise ConfigInvalid("CONCORD_RECON_COMPANIES must be ids of companies, separated by commas")
        zone = read.text("SETTLEMENT_ZONE", own_only=True) or default.settlement_zone
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigInvalid("CONCORD_RECON_SETTLEMENT_ZONE is no IANA time zone") from None
        return cls(
            database_url=database_url(env, "recon"),
            # A file of some hundred megabytes is one call.
            rpc=replace(
                ServerConfig.from_env(env, "recon", "127.0.0.1:50054"), unary_limit_seconds=IMPORT_LIMIT_SECONDS
            ),
            ledger_address=env.get("CONCORD_LEDGER_ADDRESS") or "127.0.0.1:50053",
            settings=Settings(
                companies=companies,
                settling_seconds=_seconds(read.text("SETTLING_SECONDS", own_only=True), default.settling_seconds),
                settlement_zone=zone,
            ),
            nats_url=read.text("NATS_URL"),
        )


def _seconds(text: str | None, default: float) -> float:
    """A whole number of seconds; 0 is one."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise ConfigInvalid("CONCORD_RECON_SETTLING_SECONDS must be a whole number of seconds")
    return float(text)
