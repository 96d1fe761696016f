"""Whatever a network loses of our calls, each document stands in Odoo once: on the live server, rehearsed on the sandbox.

The ledger's own workers post sales through a proxy that loses requests and replies of every writing call, and that cuts
us off while Odoo is still at work, so that the next attempt meets the one before.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from libs.odoo.port import Odoo
from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from tests.bench.facts import Charges
from tests.bench.ledgers import Clock, Masters, ledger_over, record, states, work
from tests.live.lossy import Fate, LossyProxy
from tests.live.places import Place

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
