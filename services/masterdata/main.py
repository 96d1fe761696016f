"""Starts masterdata: its gRPC service, the sealer and the regular sync. Read this first."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from concord.masterdata.v1 import masterdata_pb2, masterdata_pb2_grpc

from libs.events import Clock, IdSource, TransactionIds
from libs.odoo.connect import connect
from libs.odoo.json2 import Json2Odoo
from libs.odoo.jsonrpc import JsonRpcOdoo
from libs.odoo.port import Odoo
from libs.rpc.config import ConfigInvalid
from libs.rpc.identity import TokenKeys, TokenVerifier
from libs.rpc.server import Registration, serve
from libs.service.process import ServiceProcess, WorkerLoop
from libs.service.readiness import health_loop
from libs.storage.engine import ensure_reachable, open_engine
from libs.storage.migrate import upgrade
from libs.telemetry.logs import configure_logging
from libs.telemetry.odoo import TracedOdoo
from libs.telemetry.setup import Telemetry, TelemetryConfig, configure

from .adapters.mapping_yaml import read_mapping
from .adapters.odoo_masters import OdooMasters
from .assembly import Masterdata, World
from .config import MasterdataConfig, OdooAccess
from .servicer import MasterdataServicer, uncounted
from .storage import Masterdatas

POLL_SECONDS = {"sealer": 0.5, "sync": 5.0}


def build_masterdata(
    new_uow: Masterdatas,
    odoo: Odoo,
    clock: Clock,
    ids: IdSource,
    *,
    companies: Mapping[str, int] | None = None,
    sync_interval_seconds: float = 0.0,
) -> Masterdata:
    """Masterdata in this process: `Masterdatas(engine)` on a migrated database, reading Odoo as the user of `odoo`.

    `registration(…).servicer` answers its RPCs, with or without a server.
    """
    return Masterdata(
        World(
            new_uow=new_uow,
            source=OdooMasters(odoo),
            read_mapping=read_mapping,
            clock=clock,
            ids=ids,
            companies=companies or {},
            sync_interval_seconds=sync_interval_seconds,
        )
    )


def build(env: Mapping[str, str]) -> ServiceProcess:
    """The whole process, listening. Raises a `ConcordError` where the configuration cannot be used."""
    config = MasterdataConfig.from_env(env)
    keys = TokenKeys.parse(_required(env, "CONCORD_TOKEN_KEYS"))
    telemetry = configure(TelemetryConfig.from_env("masterdata", env))
    engine = open_engine(config.database_url, "masterdata")
    upgrade(engine, "services.masterdata")
    odoo = LateOdoo(config.odoo)

    def clock() -> datetime:
        return datetime.now(UTC)

    masterdata = build_masterdata(
        Masterdatas(engine),
        TracedOdoo(odoo, telemetry.tracer, telemetry.metrics),
        clock,
        TransactionIds(clock, random.SystemRandom()),
        companies=config.companies,
        sync_interval_seconds=config.sync_interval_seconds,
    )

    def count_failures(company: str, reason: str, count: int) -> None:
        telemetry.metrics.unresolved(company, reason, count)

    registered = registration(masterdata, count_failures)
    rpc = serve(config.rpc, [registered], TokenVerifier(keys), telemetry.server_interceptors())
    closing: list[Callable[[], object]] = [odoo.close, telemetry.shutdown, engine.dispose]
    loops = [*_loops(masterdata, telemetry), health_loop(rpc, lambda: ensure_reachable(engine))]
    return ServiceProcess("masterdata", {"grpc": rpc}, loops, closing=closing)


def registration(masterdata: Masterdata, count_failures: Callable[[str, str, int], None] = uncounted) -> Registration:
    """What `libs.rpc.server.serve` takes."""
    servicer = MasterdataServicer(masterdata, masterdata.resolver, masterdata.world.new_uow, count_failures)
    service = masterdata_pb2.DESCRIPTOR.services_by_name["MasterdataService"]
    return Registration(servicer, masterdata_pb2_grpc.add_MasterdataServiceServicer_to_server, service)


class LateOdoo:
    """An `Odoo` that connects when it is first needed: masterdata answers from its own store while Odoo is down."""

    def __init__(self, access: OdooAccess) -> None:
        self._access = access
        self._odoo: JsonRpcOdoo | Json2Odoo | None = None  # two threads that connect at once do no harm

    def execute(self, model: str, method: str, args: list[Any], kwargs: Mapping[str, Any] | None = None) -> Any:
        """See `libs.odoo.port.Odoo.execute`."""
        odoo = self._odoo
        if odoo is None:
            access = self._access
            odoo = self._odoo = connect(
                access.url,
                access.database,
                access.user,
                access.password,
                access.api_key,
                timeout_seconds=access.timeout_seconds,
            )
        return odoo.execute(model, method, args, kwargs)

    def close(self) -> None:
        """Give the connections back."""
        if isinstance(self._odoo, Json2Odoo):
            self._odoo.close()


def _loops(masterdata: Masterdata, telemetry: Telemetry) -> list[WorkerLoop]:
    def failed(name: str) -> Callable[[str], None]:
        return lambda reason: telemetry.metrics.worker_failure(name, reason)

    return [
        WorkerLoop(name, run_once, poll_seconds=POLL_SECONDS[name], on_error=failed(name))
        for name, run_once in masterdata.workers().items()
    ]


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise ConfigInvalid(f"{name} is not set")
    return value


def main() -> int:
    """The process's exit status."""
    configure_logging("masterdata")
    return build(os.environ).run(ports_file=os.environ.get("CONCORD_MASTERDATA_PORTS_FILE"))


if __name__ == "__main__":
    sys.exit(main())
