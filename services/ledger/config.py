"""The ledger's configuration. A missing value stops the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from libs.rpc.config import ConfigInvalid, Reader
from libs.service.config import RuntimeConfig, address_of
from libs.service.odoo import OdooConfig

_INSTALLATION = re.compile(r"[a-z][a-z0-9]{0,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """Everything that the process needs to know."""

    runtime: RuntimeConfig
    masterdata_address: str
    odoo: OdooConfig
    installation: str  # external ids in Odoo stand in the module `concord_{installation}`
    post_batch: int = 100

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> LedgerConfig:
        """`CONCORD_LEDGER_…`, else `CONCORD_…`; raises `ConfigInvalid`."""
        read = Reader(env, "ledger")
        installation = read.text("INSTALLATION") or "main"
        if _INSTALLATION.fullmatch(installation) is None:
            raise ConfigInvalid("CONCORD_INSTALLATION must be lower-case letters and digits, at most 31")
        return cls(
            runtime=RuntimeConfig.from_env(env, "ledger"),
            masterdata_address=address_of("masterdata", env),
            odoo=OdooConfig.from_env(env, "ledger"),
            installation=installation,
            post_batch=read.number("POST_BATCH", 100),
        )
