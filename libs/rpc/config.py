"""How a server listens and a channel calls. Plaintext leaves the machine only when that is said in so many words."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.errors import ConcordError

MEBIBYTE = 1024 * 1024


class TransportRefused(ConcordError):
    """The configuration would send data in plaintext over a network; the process must not start."""

    reason = "PLAINTEXT_REFUSED"


class ConfigInvalid(ConcordError):
    """The configuration can't be used; the process must not start."""

    reason = "CONFIG_INVALID"


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM files of a server, read again when they change. With `client_ca_file`, only its clients get in (mTLS)."""

    certificate_file: str
    private_key_file: str
    client_ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class ClientTls:
    """PEM files of a client, read again when they change. Certificate and key are for mTLS; `server_name` overrides
    the name that is checked."""

    root_ca_file: str | None = None
    certificate_file: str | None = None
    private_key_file: str | None = None
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How one server listens and what it bears."""

    listen: str = "127.0.0.1:0"  # port 0: the system chooses, `RunningServer.port` tells
    tls: ServerTls | None = None
    allow_plaintext: bool = False  # beyond loopback
    workers: int = 16  # threads for unary calls
    calls_per_caller: int = 128  # of those that wait for a common commit; beyond it: RESOURCE_EXHAUSTED at once
    max_concurrent_calls: int = 256  # beyond it: RESOURCE_EXHAUSTED at once; open streams count too
    max_streams: int = 64
    max_receive_bytes: int = 16 * MEBIBYTE
    max_send_bytes: int = 16 * MEBIBYTE
    unary_limit_seconds: float = 60.0  # also the deadline of callers that set none
    stream_limit_seconds: float = 3600.0
    keepalive_seconds: float = 30.0
    keepalive_timeout_seconds: float = 10.0
    min_ping_interval_seconds: float = 10.0  # clients that ping more often are cut off
    reuse_port: bool = False  # several processes behind one port; off, a port in use is an error
    reflection: bool = True

    @classmethod
    def from_env(cls, env: Mapping[str, str], service: str, listen: str = "127.0.0.1:0") -> ServerConfig:
        """`CONCORD_{SERVICE}_…`, else `CONCORD_…`: `LISTEN`, `TLS_CERTIFICATE`, `TLS_PRIVATE_KEY`, `TLS_CLIENT_CA`,
        `ALLOW_PLAINTEXT`, `RPC_WORKERS`, `RPC_MAX_CALLS`, `RPC_MAX_STREAMS`, `RPC_REUSE_PORT`."""
        read = Reader(env, service)
        certificate, private_key = read.text("TLS_CERTIFICATE"), read.text("TLS_PRIVATE_KEY")
        if (certificate is None) != (private_key is None):
            raise ConfigInvalid("TLS needs both the certificate and the private key")
        tls = None
        if certificate is not None and private_key is not None:
            tls = ServerTls(certificate, private_key, read.text("TLS_CLIENT_CA"))
        return cls(
            listen=read.text("LISTEN", own_only=True) or listen,
            tls=tls,
            allow_plaintext=read.flag("ALLOW_PLAINTEXT"),
            workers=read.number("RPC_WORKERS", cls().workers),
            max_concurrent_calls=read.number("RPC_MAX_CALLS", cls().max_concurrent_calls),
            max_streams=read.number("RPC_MAX_STREAMS", cls().max_streams),
            reuse_port=read.flag("RPC_REUSE_PORT"),
        )


@dataclass(frozen=True, slots=True)
class CallRetries:
    """Retries of calls that did not reach a server's handler for certain, or may be repeated: only UNAVAILABLE.

    The budget is a bucket of `budget_tokens`: a failure takes one, a success gives `budget_ratio` back, and below
    half nothing is retried, so that a service that is down is not hit the harder.
    """

    max_attempts: int = 4
    initial_backoff_seconds: float = 0.1
    max_backoff_seconds: float = 2.0
    multiplier: float = 2.0
    budget_tokens: int = 20
    budget_ratio: float = 0.1

    def __post_init__(self) -> None:
        # Measured on grpcio 1.85: with 1 ms, which jitter may round to none, half the retried calls hang until their
        # deadline.
        if self.initial_backoff_seconds < 0.01 or self.max_backoff_seconds < self.initial_backoff_seconds:
            raise ConfigInvalid("retries need a backoff of at least 10 ms, and a maximum not below it")
        if not 2 <= self.max_attempts <= 5:
            raise ConfigInvalid("retries need 2 to 5 attempts (gRPC takes no more)")


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """How one channel calls."""

    tls: ClientTls | None = None
    allow_plaintext: bool = False  # beyond loopback
    deadline_seconds: float = 20.0  # of a unary call that sets none; never longer than the call being served has left
    stream_deadline_seconds: float | None = None
    retry: CallRetries | None = field(default_factory=CallRetries)
    max_receive_bytes: int = 16 * MEBIBYTE
    max_send_bytes: int = 16 * MEBIBYTE
    keepalive_seconds: float = 30.0
    keepalive_timeout_seconds: float = 10.0

    @classmethod
    def from_env(cls, env: Mapping[str, str], service: str) -> ChannelConfig:
        """`CONCORD_{SERVICE}_…`, else `CONCORD_…`, of the calling service: `TLS_ROOT_CA` turns TLS on, with
        `TLS_CLIENT_CERTIFICATE`, `TLS_CLIENT_KEY`, `TLS_SERVER_NAME`; `ALLOW_PLAINTEXT`."""
        read = Reader(env, service)
        root, certificate = read.text("TLS_ROOT_CA"), read.text("TLS_CLIENT_CERTIFICATE")
        private_key = read.text("TLS_CLIENT_KEY")
        if (certificate is None) != (private_key is None):
            raise ConfigInvalid("mTLS needs both the client's certificate and its private key")
        tls = ClientTls(root, certificate, private_key, read.text("TLS_SERVER_NAME")) if root or certificate else None
        return cls(tls=tls, allow_plaintext=read.flag("ALLOW_PLAINTEXT"))


class Reader:
    """Reads `CONCORD_{SERVICE}_NAME`, else `CONCORD_NAME`; an empty value counts as none."""

    def __init__(self, env: Mapping[str, str], service: str) -> None:
        self._env = env
        self._service = service.upper()

    def text(self, name: str, *, own_only: bool = False) -> str | None:
        """The value, or None. `own_only`: a value for all services makes no sense (an address to listen on)."""
        own = self._env.get(f"CONCORD_{self._service}_{name}")
        return own or (None if own_only else self._env.get(f"CONCORD_{name}")) or None

    def flag(self, name: str) -> bool:
        value = (self.text(name) or "0").lower()
        if value not in ("0", "1", "false", "true", "no", "yes"):
            raise ConfigInvalid(f"CONCORD_{name} must be 0 or 1")
        return value in ("1", "true", "yes")

    def number(self, name: str, default: int) -> int:
        text = self.text(name)
        try:
            value = default if text is None else int(text)
        except ValueError:
            raise ConfigInvalid(f"CONCORD_{name} must be a whole number") from None
        if value < 1:
            raise ConfigInvalid(f"CONCORD_{name} must be above zero")
        return value


def is_loopback(address: str) -> bool:
    """Whether a listen address or channel target stays on this machine."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    for scheme in ("dns:///", "ipv4:", "ipv6:", "dns:"):
        address = address.removeprefix(scheme)
    return all(_host_is_loopback(part) for part in address.split(","))


def _host_is_loopback(address: str) -> bool:
    host = address.rsplit(":", 1)[0].strip("[]") if address.count(":") == 1 or "]" in address else address
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
