"""Starts masterdata: its gRPC service, the sealer and the regular sync. Read this first."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping

if __name__ == "__main__":
    gc.disable()  # before the imports that follow; see `run`

from libs.service.process import ServiceProcess
from libs.service.runtime import Runtime, run

from .assembly import Masterdata
from .config import MasterdataConfig
from .servicer import MasterdataServicer, registration
from .storage import MasterdataUowFactory

POLL_SECONDS = {"sealer": 0.5, "sync": 5.0}


def build(env: Mapping[str, str]) -> ServiceProcess:
    """The whole process, listening. Raises a `ConcordError` where the configuration cannot be used."""
    config = MasterdataConfig.from_env(env)
    runtime = Runtime(config.runtime)
    masterdata = Masterdata(
        MasterdataUowFactory(runtime.engine),
        runtime.odoo(config.odoo),
        runtime.work.clock,
        runtime.work.ids,
        companies=config.companies,
        sync_interval_seconds=config.sync_interval_seconds,
    )
    servicer = MasterdataServicer(
        masterdata.sync,
        masterdata.review,
        masterdata.resolver,
        masterdata.new_uow,
        runtime.telemetry.metrics.unresolved,
    )
    rpc = runtime.serve(registration(servicer))
    return runtime.process(rpc, masterdata.workers(), poll_seconds=POLL_SECONDS, followers={})


def main() -> int:
    """The process's exit status."""
    return run("masterdata", build, os.environ)


if __name__ == "__main__":
    sys.exit(main())
