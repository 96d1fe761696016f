"""A ledger with its real storage and workers over some Odoo, in this process, with masters that answer from a chart."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from libs.events import Event, TransactionIds
from libs.odoo.port import Json, Odoo
from libs.service.work import WorkContext
from libs.telemetry.trace import Tracer
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.transport import InProcess
from services.ledger.adapters.odoo_journal import OdooJournal
from services.ledger.assembly import Ledger, assemble
from services.ledger.domain import master
from services.ledger.domain.event import RecordedEvent
from services.ledger.handlers.record_events import IncomingEvent
from services.ledger.storage.uow import LedgerUowFactory, Listener, unheard
from tests.bench.facts import MORNING
from tests.ledger.posting.world import SandboxMasters

CALLER = "services/gateway"
CUSTOMERS = ("Ada Archer", "Bertil Berg")


class Masters(SandboxMasters):
    """Read from a chart over its Odoo; every customer is one of two that the demonstration company knows."""

    def __init__(self, admin: Odoo) -> None:
        def ids(model: str, field: str) -> dict[str, int]:
            return {str(one[field]): int(one["id"]) for one in admin.execute(model, "search_read", [[], [field]])}

        self.late_policy = "next_open_day"
        self.accounts = ids("account.account", "code")
        self.journals = ids("account.journal", "code")
        self.partners = ids("res.partner", "name")
        self.taxes = ids("account.tax", "name")

    def resolve(self, company: str, refs: Sequence[master.Ref]) -> master.Masters:
        parties: dict[master.Ref, master.Target] = {
            ref: self._party(ref) for ref in refs if isinstance(ref, master.PartyWord)
        }
        others = super().resolve(company, [ref for ref in refs if ref not in parties])
        return master.Masters({**others.targets, **parties}, others.revision, others.mapping_set)

    def customer_id(self, external_id: str) -> int:
        """Odoo's id of a source's customer."""
        return self.partners[CUSTOMERS[sum(external_id.encode()) % len(CUSTOMERS)]]

    def journal_id(self, role: str) -> int:
        """Odoo's id of a journal."""
        return self._journal(role).odoo_id

    def _party(self, word: master.PartyWord) -> master.PostingParty:
        found = self.customer_id(word.external_id)
        return master.PostingParty(f"companies/acme/parties/{found}", found, found)


@dataclass
class MeteredOdoo:
    """Counts the CPU that passes below the port, and keeps the calls to repeat them."""

    odoo: Odoo
    keep: bool = False
    cpu_seconds: float = 0.0
    calls: list[tuple[str, str, Any, Any, Any]] = field(default_factory=list)

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        began = time.thread_time()
        try:
            answer = self.odoo.execute(model, method, args, kwargs)
        finally:
            self.cpu_seconds += time.thread_time() - began
        if self.keep:
            self.calls.append((model, method, args, kwargs, answer))
        return answer


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now

    def tick(self) -> None:
        self.now += timedelta(milliseconds=1)


def new_sandbox(clock: Clock) -> tuple[Sandbox, Masters]:
    """An empty company's books, in memory, and its masters."""
    sandbox = Sandbox(":memory:", clock)
    bootstrap(sandbox)
    return sandbox, Masters(InProcess(sandbox, "admin"))


def ledger_over(
    engine: Engine,
    masters: Masters,
    odoo: Odoo,
    clock: Clock,
    *,
    seed: int = 7,
    listen: Listener = unheard,
    installation: str = "bench",
) -> Ledger:
    """The whole ledger, assembled as its process assembles it."""
    rng = random.Random(seed)
    journal = OdooJournal(odoo, installation, "USD")
    work = WorkContext(clock, TransactionIds(clock, rng), rng, Tracer(None), "ledger")
    return assemble(LedgerUowFactory(engine, listen=listen), masters, lambda _: journal, work)


def record(ledger: Ledger, clock: Clock, events: Sequence[Event], batch: int = 100) -> None:
    """Accept the events, a commit a batch."""
    for start in range(0, len(events), batch):
        clock.tick()
        answers = ledger.record([IncomingEvent(event, CALLER) for event in events[start : start + batch]])
        assert all(isinstance(one, RecordedEvent) and not one.duplicate for one in answers)


def work(ledger: Ledger, clock: Clock, names: Iterable[str] = ("build", "post")) -> None:
    """Let the workers run until none of them finds anything."""
    workers = ledger.workers()
    chosen = [workers[name] for name in names]
    while sum(run_once() for run_once in chosen):
        clock.tick()


def states(engine: Engine) -> dict[str, int]:
    """How many postings are in each state."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT state, count(*) FROM posting GROUP BY state").all()
    return {str(state): int(count) for state, count in rows}


def trial_balance(sandbox: Sandbox) -> int:
    """The sum of all balances in cents, which must be zero, of at least one posted line."""
    lines = InProcess(sandbox, "admin").execute(
        "account.move.line", "search_read", [[["parent_state", "=", "posted"]], ["balance"]]
    )
    assert lines
    return sum(round(line["balance"] * 100) for line in lines)


__all__ = ["CALLER", "Clock", "Masters", "MeteredOdoo", "ledger_over", "new_sandbox", "record", "work"]
