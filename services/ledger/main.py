"""Starts the ledger: the gRPC service and the workers that build, post, reconcile and seal. Read this first."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping

if __name__ == "__main__":
    gc.disable()  # before the imports that follow; see `run`

from concord.masterdata.v1 import masterdata_pb2_grpc

from libs.access import EVERY, AccessScope
from libs.service.process import ServiceProcess
from libs.service.runtime import Runtime, run
from libs.storage.group_commit import GroupCommitWriter

from .assembly import build_ledger
from .config import LedgerConfig
from .domain.committed import Committed
from .servicer import Broadcast, LedgerServicer, registration
from .storage import TABLES
from .storage.uow import LedgerUowFactory
from .telemetry import LedgerTelemetry

EVERY_COMPANY = AccessScope.of(companies=[EVERY])  # it keeps the books of whichever there are
POLL_SECONDS = {"hold": 5.0, "seal": 0.2, "reconcile": 0.5, "match": 0.5}
# Which workers a commit gives work to, by the queue that it wrote to.
WORKERS = {"build": ("build",), "post": ("post",), "match": ("match", "reconcile"), "seal": ("seal", "relay")}


def build(env: Mapping[str, str]) -> ServiceProcess:
    """The whole process, listening. Raises a `ConcordError` where the configuration cannot be used."""
    config = LedgerConfig.from_env(env)
    runtime = Runtime(config.runtime)
    work = runtime.work
    telemetry = LedgerTelemetry(runtime.telemetry.tracer, runtime.telemetry.metrics, work.clock)

    def listen(committed: Committed) -> None:
        for queue in committed.queues:
            runtime.wake(*WORKERS[queue])
        telemetry.committed(committed)

    new_uow = LedgerUowFactory(runtime.engine, listen=listen)
    ledger = build_ledger(
        new_uow,
        masterdata_pb2_grpc.MasterdataServiceStub(runtime.channel(config.masterdata_address, EVERY_COMPANY)),
        runtime.odoo(config.odoo),
        work,
        installation=config.installation,
        post_batch=config.post_batch,
    )
    runtime.watch_queues(ledger.queues)
    recorder = runtime.closing(GroupCommitWriter(ledger.record, max_batch=1000, name="recorder"))
    changes = Broadcast()
    rpc = runtime.serve(registration(LedgerServicer(new_uow, recorder, work.clock, changes)))
    workers = ledger.workers() | runtime.relay(new_uow, TABLES)
    workers["seal"] = changes.after(workers["seal"])
    return runtime.process(rpc, workers, poll_seconds=POLL_SECONDS, followers={})


def main() -> int:
    """The process's exit status."""
    return run("ledger", build, os.environ)


if __name__ == "__main__":
    sys.exit(main())
