"""What tracing costs on the way from a recorded event to a posted document (PERFORMANCE, goal 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from libs.telemetry.config import TelemetryConfig
from libs.telemetry.odoo import TracedOdoo
from libs.telemetry.setup import Telemetry, configure
from sandbox.transport import InProcess
from services.ledger.telemetry import LedgerTelemetry
from tests.bench.edges import serving
from tests.bench.facts import Charges
from tests.bench.ledgers import Clock, MeteredOdoo, ledger_over, new_sandbox, record, states, work
from tests.bench.posting import DOCUMENTS_A_SALE
from tests.bench.scratch import Scratch
from tests.bench.sink import spans_received
from tests.bench.turns import Figure, Goal, Measured, Result, Step, Stopwatch, take_turns

BUSINESS_SHARE = 0.1  # of transactions that also show their technical spans
STEPS_A_SALE = 2 * 2 + DOCUMENTS_A_SALE  # recorded and built, twice; posted, three times


@dataclass(frozen=True, slots=True)
class Size:
    """Sales of a turn."""

    sales: int = 200


def run(scratch: Scratch, turns: int, size: Size | None = None) -> Result:
    """The same sales with telemetry off, as configured by default, and with every technical span."""
    size = size or Size()
    result = Result(
        f"tracing-{scratch.kind}",
        "Sales recorded, built and posted as in the posting workload, without telemetry and with spans exported over "
        "OTLP to a collector in another process: business spans always, technical ones for 10 % or for all.",
    )
    with serving("tests.bench.sink") as (_, ready):
        port = int(ready["port"])
        result.turns = take_turns(turns, _steps(scratch, size, port), scratch.folder)
    for name, words in (("default", "business spans always, technical at 10 %"), ("everything", "every span")):
        overheads = [turn[name]["own_cpu_ms"] / turn["off"]["own_cpu_ms"] - 1 for turn in result.turns]
        goal = Goal("≤ 20 %", at_most=20.0) if name == "default" else Goal("≤ 35 %", at_most=35.0)
        result.add(Figure(f"CPU added: {words}", "%", [100 * one for one in overheads], goal))
        whole = [turn[name]["cpu_ms"] / turn["off"]["cpu_ms"] - 1 for turn in result.turns]
        result.add(Figure(f"the same, of the CPU with the sandbox: {words}", "%", [100 * one for one in whole]))
    result.each("our CPU a document, off", "ms", "off", "own_cpu_ms")
    result.each("our CPU a document, default", "ms", "default", "own_cpu_ms")
    result.each("spans a document, default", "", "default", "spans")
    result.each("spans a document, everything", "", "everything", "spans")
    arrived = [100.0 * turn[name]["arrived"] for turn in result.turns for name in ("default", "everything")]
    result.add(Figure("spans that arrived", "%", arrived, Goal("≥ 99.9 %", at_least=99.9)))
    result.checks.append("every document is POSTED, with tracing and without")
    result.checks.append(
        "the collector received at least a span for each business step; spans that were lost are counted"
    )
    result.notes.append("added CPU is ours alone, the sandbox's part taken off; the exporter's thread is in it")
    return result


def _steps(scratch: Scratch, size: Size, port: int) -> dict[str, Step]:
    def step(config: Callable[[], TelemetryConfig]) -> Step:
        return lambda turn: _post(scratch, turn, size, config(), port)

    endpoint = f"http://127.0.0.1:{port}"
    return {
        "off": step(lambda: TelemetryConfig("ledger")),
        "default": step(lambda: TelemetryConfig("ledger", otlp_endpoint=endpoint, technical_share=BUSINESS_SHARE)),
        "everything": step(lambda: TelemetryConfig("ledger", otlp_endpoint=endpoint, technical_share=1.0)),
    }


def _post(scratch: Scratch, turn: int, size: Size, config: TelemetryConfig, port: int) -> Measured:
    engine = open_engine(*scratch.database("ledger"))
    upgrade(engine, "services.ledger")
    telemetry = configure(config)
    before = spans_received(port)
    clock = Clock()
    sandbox, masters = new_sandbox(clock)
    metered = MeteredOdoo(InProcess(sandbox, "concord"))
    traced = TracedOdoo(metered, telemetry.tracer, telemetry.metrics)
    ledger_telemetry = LedgerTelemetry(telemetry.tracer, telemetry.metrics, clock)
    ledger = ledger_over(engine, masters, traced, clock, listen=ledger_telemetry.committed)
    documents = size.sales * DOCUMENTS_A_SALE
    with Stopwatch() as watch:
        record(ledger, clock, Charges().sales(turn * size.sales, size.sales))
        work(ledger, clock)
        telemetry.flush()
    assert states(engine) == {"posted": documents}
    received = spans_received(port) - before
    measured = _spans(telemetry, config, received, size)
    telemetry.shutdown()
    engine.dispose()
    return measured | {
        "own_cpu_ms": (watch.cpu_seconds - metered.cpu_seconds) / documents * 1e3,
        "cpu_ms": watch.cpu_seconds / documents * 1e3,
        "spans": received / documents,
    }


def _spans(telemetry: Telemetry, config: TelemetryConfig, received: int, size: Size) -> Measured:
    if config.otlp_endpoint is None:
        assert received == 0
        return {"arrived": 1.0}
    assert received + telemetry.spans_lost >= size.sales * STEPS_A_SALE
    return {"arrived": received / (received + telemetry.spans_lost)}
