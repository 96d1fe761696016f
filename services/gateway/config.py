"""The gateway's configuration. A missing or contradictory value stops the start.

Sources stand in a YAML (or JSON) file, named by `CONCORD_GATEWAY_SOURCES`:

    sources:
      - provider: NAME
        account: acct_1
        company: demo
        livemode: true
        signing_secrets:            # one, or two while they are rotated
          - file: /run/secrets/webhook
          - env: WEBHOOK_SECRET_NEXT
        api: {key: {env: API_KEY}}   # base_url: the provider's own, if it is not said
        poll: {interval_seconds: 60, overlap_seconds: 3600, since: 2026-01-01T00:00:00Z}
        deliveries_per_minute: 6000
      - provider: bank              # files only
        account: DE02120300000000202051
        company: demo

A secret is `{file: PATH}`, `{env: NAME}` or `{value: TEXT}` (the last for demos).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from libs.rpc.config import ConfigInvalid, Reader, ServerConfig, ServerTls
from libs.service.config import RuntimeConfig, address_of
from providers import PROVIDERS
from providers.base import ApiDialect, Secrets, Source

from .adapters.provider_api import ApiAccess
from .domain.source import PollPlan

FILES_ONLY = frozenset({"bank"})
DEFAULT_DELIVERIES_PER_MINUTE = 6000
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,254}", re.ASCII)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", re.ASCII)
_BASE_URL = re.compile(r"https://\S+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/\S*)?", re.ASCII)
_KEYS = frozenset(
    {"provider", "account", "company", "livemode", "signing_secrets", "api", "poll", "deliveries_per_minute"}
)


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One partner account."""

    source: Source
    secrets: Secrets
    api: ApiAccess | None = None
    poll: PollPlan | None = None
    deliveries_per_minute: int = DEFAULT_DELIVERIES_PER_MINUTE


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """The partners' face. Sizes in bytes."""

    listen: str = "127.0.0.1:8080"
    tls: ServerTls | None = None
    allow_plaintext: bool = False
    max_body_bytes: int = 1024 * 1024
    max_file_bytes: int = 1024 * 1024 * 1024
    body_timeout_seconds: float = 10.0
    file_timeout_seconds: float = 900.0
    max_connections: int = 2048


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Everything that the process needs to know."""

    runtime: RuntimeConfig
    http: HttpConfig
    ledger_address: str
    recon_address: str
    sources: tuple[SourceConfig, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> GatewayConfig:
        """Raises `ConfigInvalid`."""
        read = Reader(env, "gateway")
        path = read.text("SOURCES", own_only=True)
        runtime = RuntimeConfig.from_env(env, "gateway")
        return cls(
            runtime=runtime,
            http=_http(read, runtime.rpc),
            ledger_address=address_of("ledger", env),
            recon_address=address_of("recon", env),
            sources=read_sources(Path(path), env) if path else (),
        )


def read_sources(path: Path, env: Mapping[str, str]) -> tuple[SourceConfig, ...]:
    """The sources in a file. Raises `ConfigInvalid` and never shows a secret."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"the sources file cannot be read ({type(error).__name__})") from None
    entries = document.get("sources") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ConfigInvalid("the sources file must hold a list named sources")
    sources = tuple(_source(entry, env, index) for index, entry in enumerate(entries))
    names = [source.source.name for source in sources]
    if len(set(names)) != len(names):
        raise ConfigInvalid("a source is configured twice")
    return sources


def _source(entry: object, env: Mapping[str, str], index: int) -> SourceConfig:
    place = f"sources[{index}]"
    if not isinstance(entry, dict) or not set(entry) <= _KEYS:
        raise ConfigInvalid(f"{place} has unknown keys or is no map")
    names = [entry.get(key) for key in ("provider", "account", "company")]
    if not all(isinstance(name, str) and _SEGMENT.fullmatch(name) for name in names):
        raise ConfigInvalid(f"{place} needs provider, account and company, each a resource id")
    provider, account, company = (str(name) for name in names)
    if provider not in PROVIDERS and provider not in FILES_ONLY:
        raise ConfigInvalid(f"{place}: no provider {provider}")
    livemode = entry.get("livemode", True)
    limit = entry.get("deliveries_per_minute", DEFAULT_DELIVERIES_PER_MINUTE)
    if not isinstance(livemode, bool) or not isinstance(limit, int) or limit < 1:
        raise ConfigInvalid(f"{place}: livemode is true or false, deliveries_per_minute a positive number")
    secrets = Secrets(tuple(_secret(given, env, place).encode() for given in _list(entry, "signing_secrets", place)))
    if provider in PROVIDERS and not 1 <= len(secrets.values) <= 2:
        raise ConfigInvalid(f"{place} needs one signing secret, or two while they are rotated")
    registration = PROVIDERS.get(provider)
    api = _api(entry.get("api"), registration.api if registration else None, env, place, livemode=livemode)
    plan = _plan(entry.get("poll"), place)
    if plan and not api:
        raise ConfigInvalid(f"{place} is to be polled without an api")
    return SourceConfig(Source(provider, account, company, livemode), secrets, api, plan, limit)


def _api(
    value: object, api: ApiDialect | None, env: Mapping[str, str], place: str, *, livemode: bool
) -> ApiAccess | None:
    if value is None:
        return None
    if api is None:
        raise ConfigInvalid(f"{place}.api: the provider has none that is read")
    if not isinstance(value, dict) or not set(value) <= {"key", "base_url"}:
        raise ConfigInvalid(f"{place}.api has a key and perhaps a base_url")
    key, base_url = _secret(value.get("key"), env, place), value.get("base_url", api.base_url)
    if api.key_livemode(key) not in (None, livemode):
        raise ConfigInvalid(f"{place}.api.key is of the other mode than the source")
    if not isinstance(base_url, str) or not _BASE_URL.fullmatch(base_url):
        raise ConfigInvalid(f"{place}.api.base_url must be https, or http on this machine")
    return ApiAccess(api, key, base_url)


def _plan(value: object, place: str) -> PollPlan | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not set(value) <= {"interval_seconds", "overlap_seconds", "since"}:
        raise ConfigInvalid(f"{place}.poll has unknown keys or is no map")
    since = value.get("since", datetime(1970, 1, 1, tzinfo=UTC))
    if isinstance(since, str):
        try:
            since = datetime.fromisoformat(since)
        except ValueError:
            since = None
    interval, overlap = value.get("interval_seconds", 60), value.get("overlap_seconds", 3600)
    sound = isinstance(since, datetime) and isinstance(interval, int | float) and isinstance(overlap, int)
    if not sound or interval <= 0 or overlap < 0:
        raise ConfigInvalid(f"{place}.poll: seconds must be numbers and since a time")
    assert isinstance(since, datetime)
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    return PollPlan(float(interval), overlap, int(since.timestamp()))


def _list(entry: Mapping[str, object], key: str, place: str) -> list[object]:
    value = entry.get(key, [])
    if not isinstance(value, list):
        raise ConfigInvalid(f"{place}.{key} must be a list")
    return value


def _secret(value: object, env: Mapping[str, str], place: str) -> str:
    """Says what is wrong without what was given: it may be the secret itself, in the wrong place."""
    kind, given = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else ("", None)
    if kind not in ("file", "env", "value") or not isinstance(given, str):
        raise ConfigInvalid(f"{place}: a secret is {{file: PATH}}, {{env: NAME}} or {{value: TEXT}}")
    found = given
    if kind == "env":
        found = env.get(given, "")
    elif kind == "file":
        try:
            found = Path(given).read_text().strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigInvalid(f"{place}: the secret's file can't be read") from None
    if not found:
        known = f" {given}" if kind == "env" and _VARIABLE.fullmatch(given) else ""
        missing = {"env": f"the environment variable{known} is not set", "file": "the secret's file is empty"}
        raise ConfigInvalid(f"{place}: {missing.get(kind, 'the secret is empty')}")
    return found


def _http(read: Reader, rpc: ServerConfig) -> HttpConfig:
    return HttpConfig(
        listen=read.text("HTTP_LISTEN", own_only=True) or HttpConfig().listen,
        tls=rpc.tls,
        allow_plaintext=rpc.allow_plaintext,
        max_body_bytes=read.number("MAX_BODY_BYTES", HttpConfig().max_body_bytes),
        max_file_bytes=read.number("MAX_FILE_BYTES", HttpConfig().max_file_bytes),
        body_timeout_seconds=float(read.number("BODY_TIMEOUT_SECONDS", int(HttpConfig().body_timeout_seconds))),
        file_timeout_seconds=float(read.number("FILE_TIMEOUT_SECONDS", int(HttpConfig().file_timeout_seconds))),
        max_connections=read.number("MAX_CONNECTIONS", HttpConfig().max_connections),
    )
