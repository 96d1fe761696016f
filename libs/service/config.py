"""What the configuration of every service holds, and where services find each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from libs.rpc.config import ChannelConfig, ConfigInvalid, Reader, ServerConfig
from libs.rpc.identity import TokenKeys
from libs.storage.engine import database_url
from libs.telemetry.config import TelemetryConfig

PORTS = {"gateway": 50051, "masterdata": 50052, "ledger": 50053, "recon": 50054}


@dataclass(frozen=True, slots=True)
class RuntimeConfig:
    """What `Runtime` needs to know."""

    name: str  # of the service
    database_url: str = field(repr=False)
    token_keys: TokenKeys = field(repr=False)
    rpc: ServerConfig
    calls: ChannelConfig  # to other services
    telemetry: TelemetryConfig
    nats_url: str | None = field(repr=False)  # where the outbox is published; None: nowhere

    @classmethod
    def from_env(cls, env: Mapping[str, str], name: str, unary_limit_seconds: float | None = None) -> RuntimeConfig:
        """`CONCORD_{SERVICE}_…`, else `CONCORD_…`: `DATABASE_URL` or `DATA_DIR`, `TOKEN_KEYS`, `NATS_URL`, and what
        `ServerConfig`, `ChannelConfig` and `TelemetryConfig` read. Raises `ConfigInvalid`."""
        rpc = ServerConfig.from_env(env, name, address_of(name, {}))
        return cls(
            name=name,
            database_url=database_url(env, name),
            token_keys=TokenKeys.parse(required(env, "CONCORD_TOKEN_KEYS")),
            rpc=replace(rpc, unary_limit_seconds=unary_limit_seconds or rpc.unary_limit_seconds),
            calls=ChannelConfig.from_env(env, name),
            telemetry=TelemetryConfig.from_env(name, env),
            nats_url=Reader(env, name).text("NATS_URL"),
        )


def address_of(service: str, env: Mapping[str, str]) -> str:
    """Where a service is called: `CONCORD_{SERVICE}_ADDRESS`, else its port on this machine."""
    return env.get(f"CONCORD_{service.upper()}_ADDRESS") or f"127.0.0.1:{PORTS[service]}"


def required(env: Mapping[str, str], name: str) -> str:
    """The variable's value. Raises `ConfigInvalid` where it is missing or empty."""
    value = env.get(name)
    if not value:
        raise ConfigInvalid(f"{name} is not set")
    return value
