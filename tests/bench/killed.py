"""A posting process that is killed again and again: does anything stand in Odoo twice? (PERFORMANCE, goal 4)

    python -m tests.bench.killed DATABASE_URL SCHEMA INSTALLATION MINUTES

is that process: it posts what is ready, its clock `MINUTES` after the morning of the facts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import Engine

from libs.odoo.connect import connect
from libs.odoo.port import Odoo
from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from services.ledger.assembly import Ledger
from tests.bench.facts import Charges
from tests.bench.ledgers import Clock, Masters, ledger_over, record, states, work
from tests.bench.scratch import Scratch
from tests.bench.turns import Figure, Goal, Result
from tests.live.server import Server

KILLS = 6
LEASE_MINUTES = 10  # a process that comes later finds the dead one's lease ended
GIVE_UP_SECONDS = 300.0


def add_to(result: Result, scratch: Scratch, server: Server, seed: int, sales: int) -> None:
    """Post sales by processes that are killed whenever Odoo has done something, then to the end; count what is there."""
    admin = connect(server.url, server.database, server.admin_user, server.admin_password)
    where, installation = scratch.database("ledger"), f"killed{seed}"
    engine = open_engine(*where)
    upgrade(engine, "services.ledger")
    clock = Clock()
    ledger = _ledger(engine, server, admin, clock, installation)
    events = Charges(seed=seed).sales(0, sales)
    record(ledger, clock, events)
    work(ledger, clock, ["build"])
    transactions = [event.transaction_id for event in events]
    killed = _kill(lambda: (_known(admin, installation), _posted(admin, transactions)), where, installation)
    clock.now += timedelta(minutes=LEASE_MINUTES * (KILLS + 1))
    work(ledger, clock, ["post"])
    (documents,) = states(engine).values()
    assert states(engine) == {"posted": documents}
    engine.dispose()
    assert _known(admin, installation) == documents
    twice = int(admin.execute("account.move", "search_count", [[["ref", "in", transactions]]])) - documents
    result.add(
        Figure(f"documents twice after {killed} kills among {documents}", "", [float(twice)], Goal("0", at_most=0.0))
    )
    result.checks.append("after the kills each posting is POSTED and has an external id of its own")


def _kill(progress: Callable[[], tuple[int, int]], where: tuple[str, str], installation: str) -> int:
    """Start a poster and kill it as soon as Odoo shows that it did something; how many were killed at work."""
    killed = 0
    for number in range(KILLS):
        before = progress()
        poster = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.killed", *where, installation, str(LEASE_MINUTES * (number + 1))]
        )
        ends_at = time.monotonic() + GIVE_UP_SECONDS
        while poster.poll() is None and progress() == before and time.monotonic() < ends_at:
            time.sleep(0.02)
        poster.send_signal(signal.SIGKILL)
        killed += poster.wait() == -signal.SIGKILL
    return killed


def _known(admin: Odoo, installation: str) -> int:
    domain = [["module", "=", f"concord_{installation}"], ["model", "=", "account.move"]]
    return int(admin.execute("ir.model.data", "search_count", [domain]))


def _posted(admin: Odoo, transactions: Sequence[str]) -> int:
    domain = [["ref", "in", list(transactions)], ["state", "=", "posted"]]
    return int(admin.execute("account.move", "search_count", [domain]))


def _ledger(engine: Engine, server: Server, admin: Odoo, clock: Clock, installation: str) -> Ledger:
    ours = connect(server.url, server.database, server.user, server.password)
    return ledger_over(engine, Masters(admin), ours, clock, installation=installation)


def main(url: str, schema: str, installation: str, minutes: str) -> None:
    """Post what is ready until it is done or this process is killed."""
    server = Server.from_env(os.environ)
    admin = connect(server.url, server.database, server.admin_user, server.admin_password)
    clock = Clock()
    clock.now += timedelta(minutes=int(minutes))
    work(_ledger(open_engine(url, schema), server, admin, clock, installation), clock, ["post"])


if __name__ == "__main__":
    main(*sys.argv[1:])
