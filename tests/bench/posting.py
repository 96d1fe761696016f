"""Our own CPU for each document that is posted, beside what the sandbox takes for it (PERFORMANCE, goal 4, second half).

Settling follows by itself: a call costs a live Odoo the same whatever it asks, so its calls a sale are counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from sandbox.transport import InProcess
from tests.bench.facts import Charges
from tests.bench.ledgers import Clock, MeteredOdoo, ledger_over, new_sandbox, record, states, trial_balance, work
from tests.bench.scratch import Scratch
from tests.bench.turns import Figure, Measured, Result, Stopwatch, take_turns

DOCUMENTS_A_SALE = 3  # the invoice, the charge, its fee


@dataclass(frozen=True, slots=True)
class Size:
    """Sales of a turn."""

    sales: int = 200


def run(scratch: Scratch, turns: int, size: Size | None = None) -> Result:
    """Record, build and post sales over a new sandbox in each turn; then repeat the same calls on another one."""
    size = size or Size()
    result = Result(
        f"posting-{scratch.kind}",
        "Sales, each an order and the card charge that pays it (an invoice and two entries), recorded in batches of "
        f"100, built and posted by the ledger's workers on {scratch.title} over the sandbox in the same process; then settled.",
    )
    kept: dict[int, tuple[Clock, list[Any]]] = {}

    def suite(turn: int) -> Measured:
        clock, posting, settling = _post(scratch, turn, size)
        kept[turn] = (clock, posting.calls)
        documents = size.sales * DOCUMENTS_A_SALE
        return {
            "per_second": documents / posting.seconds,
            "own_cpu_ms": posting.own_cpu_seconds / documents * 1e3,
            "sandbox_cpu_ms": posting.odoo_cpu_seconds / documents * 1e3,
            "calls_per_document": len(posting.calls) / documents,
            "settling_own_cpu_ms": settling.own_cpu_seconds / size.sales * 1e3,
            "calls_per_settled_sale": len(settling.calls) / size.sales,
        }

    result.turns = take_turns(turns, {"suite": suite}, scratch.folder)
    for number, turn in enumerate(result.turns, start=1):
        turn["replayed"] = {"cpu_ms": _replay(*kept[number]) / (size.sales * DOCUMENTS_A_SALE) * 1e3}
    result.each("our CPU a posted document", "ms", "suite", "own_cpu_ms")
    result.each("the sandbox's CPU a document, in the run", "ms", "suite", "sandbox_cpu_ms")
    result.each("the sandbox's CPU a document, the same calls repeated alone", "ms", "replayed", "cpu_ms")
    ratios = [turn["suite"]["own_cpu_ms"] / turn["suite"]["sandbox_cpu_ms"] for turn in result.turns]
    result.add(Figure("our CPU ÷ the sandbox's", "×", ratios))
    result.each("calls to Odoo a document", "", "suite", "calls_per_document")
    result.each("documents posted", "/s", "suite", "per_second")
    result.each("calls to Odoo a settled sale", "", "suite", "calls_per_settled_sale")
    result.each("our CPU a settled sale", "ms", "suite", "settling_own_cpu_ms")
    result.checks.append(f"all {size.sales * DOCUMENTS_A_SALE:,} documents of a turn are POSTED and the books balance")
    result.checks.append("all sales of a turn are settled: what is open is the money at the provider")
    result.checks.append("the calls, repeated on another sandbox, get the same answers")
    result.notes.append("masters are answered from memory: a call to masterdata a batch of 200 events is not in it")
    return result


@dataclass(frozen=True, slots=True)
class _Phase:
    """What a part of the work took, on our side of the port and below it."""

    calls: list[Any]
    seconds: float
    own_cpu_seconds: float
    odoo_cpu_seconds: float


def _post(scratch: Scratch, turn: int, size: Size) -> tuple[Clock, _Phase, _Phase]:
    """Posting, then settling."""
    engine = open_engine(*scratch.database("ledger"))
    upgrade(engine, "services.ledger")
    clock = Clock()
    sandbox, masters = new_sandbox(clock)
    metered = MeteredOdoo(InProcess(sandbox, "concord"), keep=True)
    ledger = ledger_over(engine, masters, metered, clock)
    events = Charges().sales(turn * size.sales, size.sales)

    def phase(work_on: Callable[[], None]) -> _Phase:
        metered.calls, metered.cpu_seconds = [], 0.0
        with Stopwatch() as watch:
            work_on()
        own = watch.cpu_seconds - metered.cpu_seconds
        return _Phase(metered.calls, watch.seconds, own, metered.cpu_seconds)

    def post() -> None:
        record(ledger, clock, events)
        work(ledger, clock)

    posting = phase(post)
    settling = phase(lambda: work(ledger, clock, ["reconcile"]))
    assert states(engine) == {"posted": size.sales * DOCUMENTS_A_SALE}
    assert _open_roles(engine) == {"": size.sales, "CLR": 2 * size.sales}
    assert trial_balance(sandbox) == 0
    engine.dispose()
    return clock, posting, settling


def _open_roles(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT open_roles, count(*) FROM posting GROUP BY open_roles").all()
    return {str(roles): int(count) for roles, count in rows}


def _replay(clock: Clock, calls: list[Any]) -> float:
    """CPU seconds of the same calls on a new sandbox."""
    odoo = InProcess(new_sandbox(clock)[0], "concord")
    began = time.process_time()
    answers = [odoo.execute(model, method, args, kwargs) for model, method, args, kwargs, _ in calls]
    used = time.process_time() - began
    assert answers == [answer for *_, answer in calls], "a repeated call got another answer"
    return used


__all__ = ["Size", "run"]
