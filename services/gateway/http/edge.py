"""The partners' face, put together and listening."""

from __future__ import annotations

from libs.errors import ConcordError
from libs.service.runtime import Runtime
from libs.storage.engine import ensure_reachable
from libs.storage.group_commit import GroupCommitWriter
from providers.base import Source

from ..assembly import Gateway
from ..config import GatewayConfig
from ..domain.delivery import NewDelivery, Receipt
from ..handlers.receive import keep_refused
from .application import BodyLimits, GatewayHttp, Inbox
from .limits import PartnerLimits
from .observer import EdgeObserver
from .server import HttpServer


def open_edge(
    config: GatewayConfig, gateway: Gateway, writer: GroupCommitWriter[NewDelivery, Receipt], runtime: Runtime
) -> HttpServer:
    """Raises `TransportRefused` for plaintext beyond loopback that is not allowed, OSError if the port is taken."""
    world = gateway.world

    def keep(source: Source, error: ConcordError, body: bytes) -> None:
        keep_refused(source, error, body, new_uow=world.new_uow, clock=world.work.clock, ids=world.work.ids)

    def is_ready() -> bool:
        ensure_reachable(runtime.engine)
        return True

    application = GatewayHttp(
        Inbox(world.accounts, gateway.prove, lambda: gateway.upload(config.http.max_file_bytes), writer),
        BodyLimits(config.http.max_body_bytes, config.http.body_timeout_seconds, config.http.file_timeout_seconds),
        runtime.verifier,
        PartnerLimits({found.source.interface: found.deliveries_per_minute for found in config.sources}),
        runtime.closing(EdgeObserver(runtime.telemetry.metrics, keep, world.work.clock)),
        is_ready,
    )
    return HttpServer(application, config.http)
