"""Masterdata's configuration. A missing or contradictory value stops the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from libs.rpc.config import ConfigInvalid, Reader
from libs.service.config import RuntimeConfig
from libs.service.odoo import OdooConfig

SYNC_INTERVAL_SECONDS = 900
CALL_LIMIT_SECONDS = 600.0  # a first sync of a large company takes minutes
_COMPANY = re.compile(r"([A-Za-z0-9][A-Za-z0-9._~-]{0,63})(?:=([1-9]\d{0,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class MasterdataConfig:
    """Everything that the process needs to know."""

    runtime: RuntimeConfig
    odoo: OdooConfig  # a user that reads accounts, journals, taxes and partners, and writes no books
    companies: Mapping[str, int]
    sync_interval_seconds: float

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> MasterdataConfig:
        """What `RuntimeConfig` and `OdooConfig` read; of its own alone `CONCORD_MASTERDATA_COMPANIES` (`acme=1,beta=3`:
        our names and Odoo's ids; empty where Odoo has one company) and `CONCORD_MASTERDATA_SYNC_SECONDS` (0: only
        when asked). Raises `ConfigInvalid`."""
        read = Reader(env, "masterdata")
        interval = read.text("SYNC_SECONDS", own_only=True) or str(SYNC_INTERVAL_SECONDS)
        if not re.fullmatch(r"\d{1,7}", interval, re.ASCII):
            raise ConfigInvalid("CONCORD_MASTERDATA_SYNC_SECONDS must be a whole number of seconds")
        return cls(
            runtime=RuntimeConfig.from_env(env, "masterdata", CALL_LIMIT_SECONDS),
            odoo=OdooConfig.from_env(env, "masterdata"),
            companies=read_companies(read.text("COMPANIES", own_only=True) or ""),
            sync_interval_seconds=int(interval),
        )


def read_companies(text: str) -> dict[str, int]:
    """`acme=1,beta=3` as a mapping; without a number a company is the only one that Odoo shows."""
    found: dict[str, int] = {}
    for part in filter(None, (name.strip() for name in text.split(","))):
        match = _COMPANY.fullmatch(part)
        if match is None or match[1] in found:
            raise ConfigInvalid("CONCORD_MASTERDATA_COMPANIES must be of the form acme=1,beta=3, each name once")
        found[match[1]] = int(match[2] or 0)
    if len(found) > 1 and len(set(found.values()) - {0}) < len(found):
        raise ConfigInvalid("CONCORD_MASTERDATA_COMPANIES must give each of several companies an id of its own")
    return found
