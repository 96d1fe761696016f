"""Each workload at its smallest: what is measured must be right, whatever the time it takes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import accept, commits, ingest, load, matching, memory, posting, proofs, report, tracing
from tests.bench.facts import Charges
from tests.bench.scratch import Scratch
from tests.bench.turns import Figure, Goal, Result, flush_ms, percentile, take_turns
from tests.bench.webhooks import Workload

POSTGRES = "CONCORD_TEST_POSTGRES_URL"


@pytest.fixture(params=["sqlite", "postgresql"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scratch]:
    with Scratch(request.param, os.environ.get(POSTGRES, ""), tmp_path) as made:
        yield made


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Scratch]:
    with Scratch("sqlite", parent=tmp_path) as made:
        yield made


def figure(result: Result, name: str) -> Figure:
    (found,) = [one for one in result.figures if one.name == name]
    return found


@pytest.mark.slow
def test_ingest_loses_nothing_and_answers_repeats_with_the_first_id(scratch: Scratch) -> None:
    size = ingest.Size(requests=300, lone_requests=10, each_requests=60, connections=(4, 16))
    result = ingest.run(scratch, 1, size)
    assert figure(result, "÷ bare Starlette, 16 connections").median > 0
    assert figure(result, "a lone client waits beyond one flush").goal is not None
    assert len(result.checks) == 2


@pytest.mark.slow
def test_what_proves_rows_is_measured_on_rows_that_are_proved(scratch: Scratch) -> None:
    result = proofs.run(scratch, 1, proofs.Size(events=40, batch=20))
    assert figure(result, "rows verified ÷ bare SHA-256").median > 0
    assert len(result.checks) == 1


@pytest.mark.slow
def test_suite_and_limits_write_the_same_rows(scratch: Scratch) -> None:
    result = accept.run(scratch, 1, accept.Size(events=40, batches=(10, 20), orm_events=20))
    limit = "executemany" if scratch.kind == "sqlite" else "COPY"
    assert figure(result, f"÷ {limit} of the same rows, 10 a commit").median > 0
    assert {one.goal.text for one in result.figures if one.goal} >= {"≥ 5"}


def test_posting_takes_the_sandbox_off_and_repeats_its_calls(sqlite: Scratch) -> None:
    result = posting.run(sqlite, 1, posting.Size(sales=6))
    assert figure(result, "our CPU a posted document").median > 0
    assert figure(result, "calls to Odoo a document").median > 0


def test_tracing_exports_a_span_for_each_business_step(sqlite: Scratch) -> None:
    result = tracing.run(sqlite, 1, tracing.Size(sales=4))
    assert figure(result, "spans that arrived").median == 100.0
    assert figure(result, "spans a document, default").median >= tracing.STEPS_A_SALE / posting.DOCUMENTS_A_SALE
    assert figure(result, "spans a document, everything").median > figure(result, "spans a document, default").median


def test_matching_finds_the_pairs_that_the_workload_was_made_of() -> None:
    result = matching.run(1, lines=300)
    assert figure(result, "time ÷ the bare joins").median > 0


@pytest.mark.slow
def test_memory_is_read_once_every_event_was_accounted_for(sqlite: Scratch) -> None:
    result = memory.run(sqlite, memory.Size(events=(20, 60)))
    assert figure(result, "gateway at 60 events").median > 1
    assert figure(result, "ledger's growth, 20 to 60").goal is not None


def test_limit_and_suite_take_turns_and_the_first_turn_does_not_count() -> None:
    order: list[str] = []
    turns = take_turns(
        3,
        {
            "limit": lambda turn: order.append(f"limit {turn}") or {"per_second": 10.0},  # type: ignore[func-returns-value]
            "suite": lambda turn: order.append(f"suite {turn}") or {"per_second": 4.0 + turn},  # type: ignore[func-returns-value]
        },
    )
    assert order == [
        "suite 0", "limit 0", "limit 1", "suite 1", "suite 2", "limit 2", "limit 3", "suite 3",
    ]  # fmt: skip
    result = Result("x", "work", turns=turns)
    ratio = result.ratio("÷ limit", "suite", "limit", goal=Goal("≥ 0.6", at_least=0.6))
    assert list(ratio.values) == [0.5, 0.6, 0.7]
    assert (ratio.median, ratio.is_met) == (0.6, True)


def test_commits_take_turns_by_slices_and_are_measured_by_the_unit(tmp_path: Path) -> None:
    order: list[str] = []

    def of(tree: str, milliseconds: float) -> commits.Slice:
        return lambda place: order.append(f"{tree} {place}") or ({"CPU": milliseconds * place}, 10)  # type: ignore[func-returns-value]

    turn = commits.turn_of(2, 2, {"old": of("old", 100), "new": of("new", 60)}, tmp_path)
    assert order == ["new 4", "old 4", "old 5", "new 5"]
    assert (turn["old"], turn["new"]) == ({"CPU": 45.0}, {"CPU": 27.0})


@pytest.mark.slow
def test_a_tree_measured_against_its_own_commit_costs_the_same(tmp_path: Path) -> None:
    (result,) = commits.run(["webhook"], "HEAD", 1, tmp_path)
    assert 0.3 < figure(result, "CPU, new ÷ old").median < 3.0


@pytest.mark.parametrize(
    "goal, value, met",
    [
        (Goal("≥ 0.5", at_least=0.5), 0.5, True),
        (Goal("≥ 0.5", at_least=0.5), 0.49, False),
        (Goal("≤ 20 %", at_most=20.0), 20.1, False),
        (Goal("≤ 20 %", at_most=20.0), -3.0, True),
    ],
)
def test_a_goal_is_met_by_the_median(goal: Goal, value: float, met: bool) -> None:
    result = Result("x", "work", [Figure("f", "×", [value - 1, value, value + 1], goal)])
    assert report.missed([result]) == ([] if met else ["x: f"])
    assert ("**missed**" in report.markdown(result)) is not met


def test_raw_figures_are_kept_whole(tmp_path: Path) -> None:
    turns = [{"load": 1.0, "flush_ms": 0.2, "suite": {"per_second": 1234.5}}]
    result = Result("x", "work", [Figure("f", "/s", [1234.5])], turns=turns)
    document = json.loads(report.save(result, {"cores": 2}, tmp_path).read_text())
    assert document["turns"] == turns
    assert document["machine"] == {"cores": 2}
    assert "| f | 1,234 /s |" in report.markdown(result)


def test_workloads_are_the_same_for_the_same_seed() -> None:
    assert Charges().sales(5, 3) == Charges().sales(5, 3)
    assert Charges().events(0, 3) != Charges(seed=8).events(0, 3)
    workload = Workload(200, first=50)
    numbers = workload.numbers()
    assert numbers == Workload(200, first=50).numbers()
    assert 5 < len(numbers) - len(set(numbers)) < 25
    assert min(numbers) == 50


def test_what_the_load_generator_tells_shows_a_repeat_that_got_another_id() -> None:
    workload = Workload(40, repeats=0.5)
    outcome = load.Outcome(seconds=1.0, latencies_ms=[1.0] * 40)
    outcome.answers = {place: json.dumps({"transaction_id": f"t{place}"}).encode() for place in range(40)}
    told = load.told(workload, outcome)
    assert told["per_second"] == 40
    assert any(len(ids) > 1 for ids in told["transactions"].values())


def test_a_flush_takes_time_and_percentiles_are_of_the_values(tmp_path: Path) -> None:
    assert flush_ms(tmp_path) > 0
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.0, 0.5, 0.99)] == [1.0, 2.0, 3.0]
