"""Starts recon: the gRPC service and the workers that record, watch, match, apply and seal. Read this first."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping

if __name__ == "__main__":
    gc.disable()  # before the imports that follow; see `run`

from libs.access import EVERYTHING
from libs.service.process import ServiceProcess
from libs.service.runtime import Runtime, run

from .adapters.ledger import LedgerClient
from .assembly import build_recon
from .config import ReconConfig
from .servicer import ReconServicer, registration
from .storage import TABLES
from .telemetry import watch_unmatched

POLL_SECONDS = {"sealer": 0.5, "apply": 0.5}
# Who has work once a worker has done some.
FOLLOWERS = {
    "record": ("watch",),
    "watch": ("match",),
    "match": ("apply", "differences"),
    "apply": ("watch", "match"),
}
IMPORTED = ("record", "watch", "match")  # who has work after an import


def build(env: Mapping[str, str]) -> ServiceProcess:
    """The whole process, listening. Raises a `ConcordError` where the configuration cannot be used."""
    config = ReconConfig.from_env(env)
    runtime = Runtime(config.runtime)
    ledger = LedgerClient(runtime.channel(config.ledger_address, EVERYTHING), lambda: runtime.wake("watch"))
    recon = build_recon(runtime.engine, runtime.closing(ledger), runtime.work, config.settings)
    runtime.watch_queues(recon.queues)
    watch_unmatched(runtime.telemetry.metrics, recon.unmatched_lines)
    servicer = ReconServicer(
        recon.new_uow,
        recon.import_statement,
        recon.import_settlement_file,
        recon.import_settlement,
        runtime.work.clock,
        lambda: runtime.wake(*IMPORTED),
    )
    rpc = runtime.serve(registration(servicer))
    workers = recon.workers() | runtime.relay(recon.new_uow, TABLES)
    return runtime.process(rpc, workers, poll_seconds=POLL_SECONDS, followers=FOLLOWERS)


def main() -> int:
    """The process's exit status."""
    return run("recon", build, os.environ)


if __name__ == "__main__":
    sys.exit(main())
