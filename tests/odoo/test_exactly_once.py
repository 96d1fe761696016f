"""The pattern of exactly once, tried as it was on real servers: several threads, lost replies, one posted entry a key."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from datetime import UTC, datetime

from libs.odoo.errors import OdooError, OdooMalformed, OdooOutcomeUnknown, OdooRefused, OdooUnavailable
from libs.odoo.jsonrpc import JsonRpcOdoo
from libs.odoo.port import Json
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.server import SandboxServer
from tests.odoo.contract.documents import ENTRY_FIELDS

KEYS, THREADS, LOST = 10, 3, 12
TRIES = 30
LOSS_RATE = 0.4  # of at least three calls a key and thread


class Unlucky:
    """Asks the server to lose a reply every now and then, until enough were lost."""

    def __init__(self, odoo: JsonRpcOdoo, server: SandboxServer) -> None:
        self._odoo = odoo
        self._server = server
        self._rng = random.Random(7)

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        if self._server.faults.lost < LOST and self._rng.random() < LOSS_RATE:
            self._server.set_faults({"lose_replies": 1})
        return self._odoo.execute(model, method, args, kwargs)


def _deliver(odoo: Unlucky, journal: int, accounts: dict[str, int], key: str) -> int:
    """Look up, load, read, post; whatever is lost, start at the look-up."""
    fee, clearing = str(accounts["621000"]), str(accounts["124100"])
    head = [f"x.{key}", "entry", str(journal), "2026-10-15", key]
    rows = [
        [*head, f"x.{key}_l1", fee, "d", "10.0", "0"],
        ["", "", "", "", "", f"x.{key}_l2", clearing, "c", "0", "10.0"],
    ]
    for _ in range(TRIES):
        try:
            try:
                move = int(odoo.execute("ir.model.data", "check_object_reference", ["x", key])[1])
            except OdooMalformed:
                answer = odoo.execute("account.move", "load", [ENTRY_FIELDS, rows])
                if answer["ids"] is False:
                    continue
                move = int(answer["ids"][0])
            if odoo.execute("account.move", "read", [[move], ["state"]])[0]["state"] == "draft":
                odoo.execute("account.move", "action_post", [[move]])
        except (OdooOutcomeUnknown, OdooUnavailable, OdooRefused):
            continue  # lost (a login's reply too), or another thread was first: look again
        return move
    raise AssertionError(f"{key} was not delivered in {TRIES} tries")


def test_each_key_ends_as_one_posted_entry_whoever_delivers_it_and_whatever_is_lost() -> None:
    sandbox = Sandbox(":memory:", lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    bootstrap(sandbox)
    accounts = {row["code"]: row["id"] for row in sandbox.execute(1, "account.account", "search_read", [[], ["code"]])}
    (journal,) = sandbox.execute(1, "account.journal", "search", [[["code", "=", "STRP"]]])
    delivered: list[tuple[str, int]] = []
    failed: list[OdooError | AssertionError] = []
    with SandboxServer(sandbox, with_faults=True) as server:
        direct = JsonRpcOdoo(server.url, "sandbox", "concord", "concord")
        odoo = Unlucky(direct, server)

        def run() -> None:
            try:
                delivered.extend((f"k{n}", _deliver(odoo, journal, accounts, f"k{n}")) for n in range(KEYS))
            except (OdooError, AssertionError) as error:
                failed.append(error)

        assert direct.execute("account.move", "search_count", [[]]) == 0  # logged in before replies are lost
        threads = [threading.Thread(target=run) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []
    assert server.faults.lost >= LOST
    posted = sandbox.execute(1, "account.move", "search_read", [[], ["ref", "state", "line_ids", "sequence_number"]])
    assert sorted(move["ref"] for move in posted) == sorted(f"k{n}" for n in range(KEYS))
    assert {(move["state"], len(move["line_ids"])) for move in posted} == {("posted", 2)}
    assert sorted(move["sequence_number"] for move in posted) == list(range(1, KEYS + 1))
    assert len(set(delivered)) == KEYS  # every thread was told the same entry
    sandbox.close()
