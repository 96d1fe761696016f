"""Where a service's telemetry goes, by OpenTelemetry's own variables and a few of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.errors import ConcordError

GRPC = "grpc"
HTTP = "http/protobuf"
CAPACITY = 65_536  # spans; 2,048, the SDK's default, loses 4 to 6 % at full speed
DELAY_SECONDS = 1.0


class TelemetryConfigInvalid(ConcordError):
    """Telemetry is configured with something that can't be used; the process must not start."""

    reason = "TELEMETRY_CONFIG_INVALID"


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """Where telemetry goes. All off: a service that runs without an observability team."""

    service_name: str
    otlp_endpoint: str | None = None  # `http://collector:4317`; https for TLS
    otlp_protocol: str = GRPC  # or `http/protobuf`
    otlp_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    metrics_listen: str | None = None  # `host:port` of a Prometheus endpoint; port 0: the system chooses
    metrics_interval_seconds: float = 15.0
    technical_share: float = 0.1
    queue_capacity: int = CAPACITY
    export_delay_seconds: float = DELAY_SECONDS
    resource_attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_env(cls, service_name: str, env: Mapping[str, str]) -> TelemetryConfig:
        """OpenTelemetry's own variables, and `CONCORD_[{SERVICE}_]METRICS_LISTEN`, `CONCORD_TRACE_TECHNICAL_SHARE`."""
        protocol = env.get("OTEL_EXPORTER_OTLP_PROTOCOL") or GRPC
        if protocol not in (GRPC, HTTP):
            raise TelemetryConfigInvalid(f"OTEL_EXPORTER_OTLP_PROTOCOL must be {GRPC} or {HTTP}")
        disabled = env.get("OTEL_SDK_DISABLED", "").lower() == "true"
        own_listen = env.get(f"CONCORD_{service_name.upper()}_METRICS_LISTEN")
        return cls(
            service_name=service_name,
            otlp_endpoint=None if disabled else env.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
            otlp_protocol=protocol,
            otlp_headers=_pairs(env.get("OTEL_EXPORTER_OTLP_HEADERS", "")),
            metrics_listen=own_listen or env.get("CONCORD_METRICS_LISTEN") or None,
            technical_share=_share(env.get("CONCORD_TRACE_TECHNICAL_SHARE") or "0.1"),
            resource_attributes=_pairs(env.get("OTEL_RESOURCE_ATTRIBUTES", "")),
        )


def _pairs(text: str) -> dict[str, str]:
    """`a=1,b=2` as a mapping, as OpenTelemetry writes lists."""
    pairs = (member.partition("=") for member in text.split(",") if "=" in member)
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise TelemetryConfigInvalid("CONCORD_TRACE_TECHNICAL_SHARE must be between 0 and 1")
    return share
