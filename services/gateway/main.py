"""Starts the gateway: the partners' HTTP face, the gRPC administration, and the workers. Read this first."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Mapping

if __name__ == "__main__":
    gc.disable()  # before the imports that follow; see `run`

from libs.handover.client import EventLedgerClient
from libs.service.process import ServiceProcess
from libs.service.runtime import Runtime, run
from libs.storage.group_commit import GroupCommitWriter

from .accounts import ConfiguredAccounts
from .adapters.provider_api import HttpApi
from .adapters.recon import ReconClient
from .assembly import Surroundings, assemble, receiver
from .config import GatewayConfig
from .http.edge import open_edge
from .http.observer import count_received
from .servicer import GatewayServicer, registration
from .storage import GatewayUowFactory, end_leases_of_the_dead
from .telemetry import watch_queues

logger = logging.getLogger(__name__)

POLL_SECONDS = {"janitor": 600.0, "sealer": 0.5}
# A round costs several commits, for one message as for a hundred: what a partner sends within so long shares it.
PACE_SECONDS = dict.fromkeys(("translate", "forward", "forward-file"), 0.1)
# Who has work once a worker has done some.
FOLLOWERS = {
    "poll": ("translate",),
    "translate": ("forward", "poll", "compose-payout"),
    "compose-payout": ("translate", "forward-settlement"),
}
RECEIVED = ("translate", "forward-file")  # who has work after a delivery


def build(env: Mapping[str, str]) -> ServiceProcess:
    """The whole process, listening. Raises a `ConcordError` where the configuration cannot be used."""
    config = GatewayConfig.from_env(env)
    accounts = ConfiguredAccounts(config.sources)
    for source in accounts.unpolled():
        logger.warning("SOURCE_NOT_POLLED: %s has no poll, so what its webhooks tell posts no money", source.name)
    runtime = Runtime(config.runtime)
    engine, work, metrics = runtime.engine, runtime.work, runtime.telemetry.metrics
    end_leases_of_the_dead(engine)
    new_uow = GatewayUowFactory(engine)
    world = Surroundings(
        new_uow=new_uow,
        accounts=accounts,
        ledger=EventLedgerClient(runtime.channel(config.ledger_address, accounts.scope())),
        recon=ReconClient(runtime.channel(config.recon_address, accounts.scope())),
        api=runtime.closing(HttpApi({found.source.interface: found.api for found in config.sources if found.api})),
        work=work,
        fetched=lambda source, receipt: count_received(metrics, source, receipt),
    )
    writer = runtime.closing(GroupCommitWriter(runtime.wake.after(receiver(world), RECEIVED), name="inbox"))
    gateway = assemble(world, writer)
    poll_source = gateway.poll_source(lambda: runtime.wake("translate"))
    rpc = runtime.serve(registration(GatewayServicer(new_uow, accounts, poll_source, work.clock)))
    watch_queues(metrics, new_uow, accounts, work.clock)
    return runtime.process(
        rpc, gateway.workers(), http=open_edge(config, gateway, writer, runtime),
        poll_seconds=POLL_SECONDS, followers=FOLLOWERS, pace_seconds=PACE_SECONDS,
    )  # fmt: skip


def main() -> int:
    """The process's exit status."""
    return run("gateway", build, os.environ)


if __name__ == "__main__":
    sys.exit(main())
