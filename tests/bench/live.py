"""Posting to a live Odoo against Odoo's own best batch through the same door (PERFORMANCE, goal 4).

The peer is what one would write by hand: `create` with a list of values, then `action_post`, in batches of the best
size found in the run, called over the same API by the same user. It keeps no external ids, reads nothing back, and
would make everything twice if a reply were lost. An Odoo shell script would save the peer its requests, about 2 a batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from libs.events import CommercialDocument, Event, EventKind
from libs.odoo.connect import connect, server_version
from libs.odoo.port import Odoo
from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from services.ledger.assembly import Ledger
from tests.bench import killed, machine
from tests.bench.facts import Charges
from tests.bench.ledgers import Clock, Masters, ledger_over, record, states, work
from tests.bench.scratch import Scratch
from tests.bench.turns import Goal, Measured, Result, Step, Stopwatch, take_turns
from tests.live.server import Server

SIZES = (25, 50, 100, 200)
KINDS = ("invoices", "entries")


@dataclass(frozen=True, slots=True)
class Size:
    """Documents of a turn, and of those posted one by one."""

    documents: int = 200
    single: int = 20
    killed_sales: int = 100  # three documents each


class Live:
    """A live company as three users of it: ours, who posts; an administrator, who looks."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ours: Odoo = connect(server.url, server.database, server.user, server.password)
        self.admin: Odoo = connect(server.url, server.database, server.admin_user, server.admin_password)
        self.masters = Masters(self.admin)
        self.run_word = f"bench{int(time.time() * 10):x}"

    def cpu_by_process(self) -> dict[int, float]:
        """CPU so far of Odoo and of its database's processes; empty if they are not on this machine, or not ours to see."""
        port = urlsplit(self.server.url).port or 80
        odoo, database = machine.listening(port), machine.serving_database(self.server.database)
        return {pid: machine.cpu_seconds([pid]) for pid in [*odoo, *database]} if odoo and database else {}

    def measured(self, documents: int, work_on: Callable[[], None]) -> Measured:
        """Wall and CPU a document of some work."""
        before = self.cpu_by_process()
        with Stopwatch() as watch:
            work_on()
        after = self.cpu_by_process()
        used = sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
        return {
            "per_second": documents / watch.seconds,
            "odoo_cpu_ms": used / documents * 1e3,
            "own_cpu_ms": watch.cpu_seconds / documents * 1e3,
        }

    def posted_count(self, ids: Sequence[int]) -> int:
        domain = [["id", "in", list(ids)], ["state", "=", "posted"]]
        return int(self.admin.execute("account.move", "search_count", [domain]))


def run(scratch: Scratch, server: Server, turns: int, size: Size | None = None) -> Result:
    """Both kinds of documents, ours and the peer's in turns."""
    size = size or Size()
    live = Live(server)
    version = server_version(server.url)
    result = Result(
        f"live-odoo{version}",
        f"Customer invoices with tax and journal entries into Odoo {version} by the external API, as its invoicing "
        "user: the ledger's posting worker (claim, load, read back, post, read back, settle), and by hand "
        "(`create` with a list, `action_post`).",
    )
    peer = Peer(live, size)
    best = {kind: peer.best_size(kind) for kind in KINDS}
    steps: dict[str, Step] = {}
    ours = {kind: Ours(scratch, live, kind, size) for kind in KINDS}
    for kind in KINDS:
        steps[f"ours_{kind}"] = ours[kind].step
        steps[f"peer_{kind}"] = peer.step(kind, best[kind], size.documents)
        steps[f"single_{kind}"] = peer.step(kind, 1, size.single)
    result.turns = take_turns(turns, steps, scratch.folder)
    for kind in KINDS:
        _figures(result, kind, best[kind])
        ours[kind].check()
    result.checks.append("each document of ours stands in Odoo once, posted, under its own external id")
    result.checks.append("each document of the peer is posted")
    killed.add_to(result, scratch, server, int(time.time()), size.killed_sales)
    result.notes.append("the peer goes through the API too: a script in Odoo's own shell was not at hand")
    return result


class Ours:
    """Documents that are recorded and built beforehand; a turn is the posting worker alone."""

    def __init__(self, scratch: Scratch, live: Live, kind: str, size: Size) -> None:
        self._live = live
        self._kind = kind
        self._size = size
        self._clock = Clock()
        self._installation = f"{live.run_word}{kind}"
        self.engine = open_engine(*scratch.database("ledger"))
        upgrade(self.engine, "services.ledger")
        self._done = 0

    def step(self, turn: int) -> Measured:
        ledger = self._built(turn)
        waiting = sum(states(self.engine).values()) - self._done
        measured = self._live.measured(waiting, lambda: work(ledger, self._clock, ["post"]))
        self._done += waiting
        assert states(self.engine) == {"posted": self._done}
        return measured

    def _built(self, turn: int) -> Ledger:
        live = self._live
        ledger = ledger_over(
            self.engine, live.masters, live.ours, self._clock, installation=self._installation, seed=turn
        )
        record(ledger, self._clock, _events(self._kind, turn * self._size.documents, self._size.documents))
        work(ledger, self._clock, ["build"])
        return ledger

    def check(self) -> None:
        """As many external ids of ours as postings, each on a posted document of its own."""
        with self.engine.connect() as connection:
            ids = [int(one) for one in connection.exec_driver_sql("SELECT odoo_id FROM posting").scalars()]
        domain = [["module", "=", f"concord_{self._installation}"], ["model", "=", "account.move"]]
        found = self._live.admin.execute("ir.model.data", "search_read", [domain, ["res_id"]])
        assert sorted(int(one["res_id"]) for one in found) == sorted(ids)
        assert self._live.posted_count(ids) == len(set(ids)) == len(ids)
        self.engine.dispose()


class Peer:
    """What one would write by hand."""

    def __init__(self, live: Live, size: Size) -> None:
        self._live = live
        self._size = size
        self._next = 5_000_000

    def step(self, kind: str, batch: int, documents: int) -> Step:
        def run_turn(_: int) -> Measured:
            values = self._values(kind, documents)
            made: list[int] = []

            def post() -> None:
                for start in range(0, len(values), batch):
                    ids = self._live.ours.execute("account.move", "create", [values[start : start + batch]])
                    self._live.ours.execute("account.move", "action_post", [ids])
                    made.extend(ids)

            measured = self._live.measured(documents, post)
            assert self._live.posted_count(made) == documents
            return measured

        return run_turn

    def best_size(self, kind: str) -> int:
        """The batch size with the best rate."""
        self.step(kind, SIZES[0], SIZES[0])(0)  # warms up
        sizes = [one for one in SIZES if one <= self._size.documents] or [self._size.documents]
        rates = {size: self.step(kind, size, self._size.documents)(0)["per_second"] for size in sizes}
        return max(rates, key=lambda size: rates[size])

    def _values(self, kind: str, documents: int) -> list[dict[str, Any]]:
        events = _events(kind, self._next, documents)
        self._next += len(events)
        masters = self._live.masters
        if kind == "invoices":
            return [_invoice(event, masters) for event in events]
        return [values for event in events for values in _entries(event, masters)][:documents]


def _events(kind: str, first: int, documents: int) -> list[Event]:
    """Orders make an invoice each, charges two entries each: the gross and the fee."""
    if kind == "entries":
        return Charges().events(first, (documents + 1) // 2)
    return [one for one in Charges().sales(first, documents) if one.kind is EventKind.DOCUMENT]


def _invoice(event: Event, masters: Masters) -> dict[str, Any]:
    assert isinstance(event.body, CommercialDocument)
    assert event.body.buyer
    day = event.effective_at.date().isoformat()
    lines = [
        {
            "account_id": masters.account("REV").odoo_id,
            "name": line.description,
            "quantity": float(line.quantity),
            "price_unit": line.net.minor_units / 100,
            "tax_ids": [[6, 0, [masters.taxes["Sales Tax 8%"]]]],
        }
        for line in event.body.lines
    ]
    return {
        "move_type": "out_invoice",
        "journal_id": masters.journal_id("SAL"),
        "partner_id": masters.customer_id(event.body.buyer.external_id),
        "invoice_date": day,
        "date": day,
        "ref": event.transaction_id,
        "invoice_line_ids": [[0, 0, line] for line in lines],
    }


def _entries(event: Event, masters: Masters) -> list[dict[str, Any]]:
    gross, fee = event.amount.minor_units / 100, getattr(event.body, "fee").minor_units / 100  # noqa: B009
    customer = masters.customer_id(getattr(event.body, "customer_id"))  # noqa: B009
    return [
        _entry(event, masters, ("CLR", gross, 0), ("AR", -gross, customer)),
        _entry(event, masters, ("FEE", fee, 0), ("CLR", -fee, 0)),
    ]


def _entry(event: Event, masters: Masters, *lines: tuple[str, float, int]) -> dict[str, Any]:
    return {
        "move_type": "entry",
        "journal_id": masters.journal_id("PSP"),
        "date": event.effective_at.date().isoformat(),
        "ref": event.transaction_id,
        "line_ids": [
            [
                0,
                0,
                {
                    "account_id": masters.account(role).odoo_id,
                    "name": event.object_id,
                    "debit": max(number, 0.0),
                    "credit": max(-number, 0.0),
                    "partner_id": partner or False,
                },
            ]
            for role, number, partner in lines
        ],
    }


def _figures(result: Result, kind: str, best: int) -> None:
    ours, peer, single = f"ours_{kind}", f"peer_{kind}", f"single_{kind}"
    wall = Goal("≥ 0.8", at_least=0.8)
    result.ratio(f"{kind}: our rate ÷ by hand, {best} a call", ours, peer, goal=wall)
    if all(turn[ours]["odoo_cpu_ms"] and turn[peer]["odoo_cpu_ms"] for turn in result.turns):
        goal = Goal("≥ 0.9", at_least=0.9)
        result.ratio(f"{kind}: Odoo's CPU by hand ÷ with ours", peer, ours, "odoo_cpu_ms", goal)
        single_goal = Goal("≥ 8", at_least=8.0)
        result.ratio(f"{kind}: Odoo's CPU one a call ÷ with ours", single, ours, "odoo_cpu_ms", single_goal)
        result.ratio(f"{kind}: Odoo's CPU one a call ÷ by hand", single, peer, "odoo_cpu_ms")
        result.each(f"{kind}: Odoo's and its database's CPU a document, ours", "ms", ours, "odoo_cpu_ms")
        result.each(f"{kind}: Odoo's and its database's CPU a document, by hand", "ms", peer, "odoo_cpu_ms")
    else:
        result.notes.append(f"{kind}: Odoo's processes can't be seen from here, so its CPU is not known")
    result.ratio(f"{kind}: our rate ÷ one a call", ours, single, goal=Goal("≥ 8", at_least=8.0))
    result.ratio(f"{kind}: rate by hand ÷ one a call", peer, single)
    result.each(f"{kind}: our rate", "/s", ours, "per_second")
    result.each(f"{kind}: rate by hand", "/s", peer, "per_second")
    result.each(f"{kind}: our process's CPU a document", "ms", ours, "own_cpu_ms")
