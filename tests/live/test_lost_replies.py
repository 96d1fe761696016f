"""Whatever a network loses of our calls, each document stands in Odoo once: on the live server, rehearsed on the sandbox.

The ledger's own workers post sales through a proxy that loses requests and replies of every writing call, and that cuts
us off while Odoo is still at work, so that the next attempt meets the one before.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.odoo_key import make_api_key
from libs.odoo.connect import connect, server_version
from libs.odoo.port import Odoo
from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.server import SandboxServer
from sandbox.transport import InProcess
from tests.bench.facts import Charges
from tests.bench.ledgers import Clock, Masters, ledger_over, record, states, work
from tests.live.lossy import Fate, LossyProxy
from tests.live.server import Server, missing_variables

SALES = 12
DOCUMENTS = 3 * SALES  # the invoice, the charge, its fee
LINES = 7 * SALES  # of an invoice with a tax three, of an entry two
FATES = {
    "load": [Fate.HUNG_UP, Fate.REQUEST_LOST, Fate.REPLY_LOST],
    "action_post": [Fate.HUNG_UP, Fate.REQUEST_LOST, Fate.REPLY_LOST],
    "reconcile": [Fate.HUNG_UP, Fate.REQUEST_LOST, Fate.REPLY_LOST],
    "read": [Fate.REPLY_LOST],
    "check_object_reference": [Fate.REPLY_LOST],
    "get_external_id": [Fate.REPLY_LOST],
}
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """An Odoo by its address, how our user signs in at another address, and an administrator who looks."""

    url: str
    sign_in: Callable[[str], Odoo]
    admin: Odoo


def _sandbox(version: int, by_key: bool, stack: ExitStack) -> Place:
    sandbox = Sandbox(":memory:", lambda: datetime(2026, 11, 22, 12, tzinfo=UTC), version)
    stack.callback(sandbox.close)
    bootstrap(sandbox)
    sandbox.add_api_key("concord", "key-of-concord")
    server = stack.enter_context(SandboxServer(sandbox))
    password, key = (None, "key-of-concord") if by_key else ("concord", None)
    admin = InProcess(sandbox, "admin")
    return Place(server.url, lambda url: connect(url, "sandbox", "concord", password, key), admin)


def _live(by_key: bool) -> Place:
    if missing := missing_variables(os.environ):
        pytest.skip(f"needs {', '.join(missing)} in the environment")
    server = Server.from_env(os.environ)
    if by_key and server_version(server.url) < 19:
        pytest.skip("an API key speaks JSON-2 from Odoo 19 on")
    key = make_api_key(server.url, server.database, server.user, server.password, "live test", 1) if by_key else None
    return Place(
        server.url,
        lambda url: connect(url, server.database, server.user, server.password, key),
        connect(server.url, server.database, server.admin_user, server.admin_password),
    )


@pytest.fixture(
    params=[
        "sandbox18",
        "sandbox19-by-key",
        pytest.param("live", marks=pytest.mark.live),
        pytest.param("live-by-key", marks=pytest.mark.live),
    ]
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    name = str(request.param)
    by_key = name.endswith("by-key")
    with ExitStack() as stack:
        yield _live(by_key) if name.startswith("live") else _sandbox(19 if by_key else 18, by_key, stack)


def test_each_document_stands_in_odoo_once_whatever_is_lost(place: Place, tmp_path: Path) -> None:
    this_run = uuid.uuid4()  # a live database keeps what earlier runs made
    installation = f"lost{this_run.hex[:12]}"
    events = Charges(seed=this_run.int).sales(0, SALES)
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}", "ledger")
    upgrade(engine, "services.ledger")
    clock = Clock()
    with LossyProxy(place.url, FATES) as proxy:
        ours = place.sign_in(proxy.url)
        ledger = ledger_over(engine, Masters(place.admin), ours, clock, installation=installation)
        record(ledger, clock, events)
        work(ledger, clock, ["build"])
        for _ in range(ROUNDS):
            if not ledger.post.run_once() + ledger.reconcile.run_once():
                break
            clock.now += timedelta(minutes=6)  # beyond every back-off and lease
    assert states(engine) == {"posted": DOCUMENTS}
    engine.dispose()
    assert proxy.met == {(method, fate): some.count(fate) for method, some in FATES.items() for fate in some}
    moves = _moves(place.admin, installation, [event.transaction_id for event in events])
    assert len(moves) == DOCUMENTS
    assert {move["state"] for move in moves} == {"posted"}
    assert sum(len(move["line_ids"]) for move in moves) == LINES
    assert {move["amount_residual"] for move in moves if move["move_type"] == "out_invoice"} == {0.0}


def _moves(admin: Odoo, installation: str, transactions: list[str]) -> list[dict[str, Any]]:
    """Every move that bears one of the transaction ids, each of which must have an external id of ours."""
    fields = ["state", "line_ids", "move_type", "amount_residual"]
    moves = list(admin.execute("account.move", "search_read", [[["ref", "in", transactions]], fields]))
    domain = [["module", "=", f"concord_{installation}"], ["model", "=", "account.move"]]
    named = admin.execute("ir.model.data", "search_read", [domain, ["res_id"]])
    assert sorted(one["res_id"] for one in named) == sorted(move["id"] for move in moves)
    return moves
