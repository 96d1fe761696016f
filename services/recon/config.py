"""Recon's configuration. A contradictory value stops the start.

| variable | meaning | default |
| --- | --- | --- |
| `CONCORD_RECON_LISTEN` | where gRPC listens | `127.0.0.1:50054` |
| `CONCORD_LEDGER_ADDRESS` | the ledger | `127.0.0.1:50053` |
| `CONCORD_RECON_COMPANIES` | companies to watch from the start, by comma; others once something was imported | |
| `CONCORD_RECON_EVIDENCE_WAIT_SECONDS` | see `domain.settings.Settings` | `3600` |
| `CONCORD_RECON_SETTLEMENT_ZONE` | IANA zone of report columns that name none | `UTC` |
| `CONCORD_NATS_URL` | where news of matches and differences is published | nowhere |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from libs.rpc.config import ConfigInvalid, Reader
from libs.service.config import RuntimeConfig, address_of

from .domain.settings import Settings

IMPORT_LIMIT_SECONDS = 1800.0  # a file of some hundred megabytes is one call
_COMPANY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReconConfig:
    """Everything that the process needs to know."""

    runtime: RuntimeConfig
    ledger_address: str
    settings: Settings

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> ReconConfig:
        """Raises `ConfigInvalid`."""
        read = Reader(env, "recon")
        if "CONCORD_RECON_SETTLING_SECONDS" in env:  # a wait that nobody reads any more must not be lost in silence
            raise ConfigInvalid("CONCORD_RECON_SETTLING_SECONDS is called CONCORD_RECON_EVIDENCE_WAIT_SECONDS now")
        default = Settings()
        companies = tuple(
            name.strip() for name in (read.text("COMPANIES", own_only=True) or "").split(",") if name.strip()
        )
        if not all(_COMPANY.fullmatch(company) for company in companies):
            raise ConfigInvalid("CONCORD_RECON_COMPANIES must be ids of companies, separated by commas")
        zone = read.text("SETTLEMENT_ZONE", own_only=True) or default.settlement_zone
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigInvalid("CONCORD_RECON_SETTLEMENT_ZONE is no IANA time zone") from None
        return cls(
            runtime=RuntimeConfig.from_env(env, "recon", IMPORT_LIMIT_SECONDS),
            ledger_address=address_of("ledger", env),
            settings=Settings(
                companies=companies,
                evidence_wait_seconds=_seconds(
                    read.text("EVIDENCE_WAIT_SECONDS", own_only=True), default.evidence_wait_seconds
                ),
                settlement_zone=zone,
            ),
        )


def _seconds(text: str | None, default: float) -> float:
    """A whole number of seconds; 0 is one."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise ConfigInvalid("CONCORD_RECON_EVIDENCE_WAIT_SECONDS must be a whole number of seconds")
    return float(text)
