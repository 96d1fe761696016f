from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, bindparam, event, insert, select

from libs.errors.retry import RetryPolicy, backoff
from libs.storage import leases
from libs.storage.engine import reading
from libs.storage.errors import LeaseLost
from libs.storage.leases import (
    Lease,
    claim,
    end_leases,
    ensure_kept,
    finish,
    in_state,
    lease_of,
    release,
    renew,
)
from tests.storage.fixtures import EngineFor
from tests.storage.sample.storage.rows import JOB

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SAMPLE = "tests.storage.sample"


@pytest.fixture
def engine(engine_for: EngineFor) -> Engine:
    return engine_for(SAMPLE)


def add_jobs(engine: Engine, *ids: str, lane: int = 0, at: datetime = NOW) -> None:
    rows = [
        {"id": i, "state": "READY", "available_at": at, "fence": 0, "attempts": 0, "lane": lane, "result": None}
        for i in ids
    ]
    with engine.begin() as connection:
        connection.execute(insert(JOB), rows)


def claim_jobs(connection: Connection, owner: str = "worker", now: datetime = NOW, limit: int = 10) -> list[Row[Any]]:
    return claim(
        connection,
        JOB,
        where=in_state(JOB, "READY"),
        order_by=[JOB.c.lane, JOB.c.id.desc()],
        limit=limit,
        owner=owner,
        now=now,
        lease_seconds=60,
    )


def take(engine: Engine, owner: str = "worker", now: datetime = NOW, limit: int = 10) -> list[Lease]:
    with engine.begin() as connection:
        return [lease_of(JOB, row) for row in claim_jobs(connection, owner, now, limit)]


def jobs(engine: Engine) -> dict[str, Any]:
    with reading(engine) as connection:
        return {row.id: row for row in connection.execute(select(JOB))}


def finish_all(engine: Engine, taken: list[Lease], result: str, now: datetime = NOW) -> set[Any]:
    with engine.begin() as connection:
        return finish(connection, JOB, [(lease, {"state": "DONE", "result": result}) for lease in taken], now=now)


def test_a_claim_takes_due_rows_in_order_up_to_the_limit(engine: Engine) -> None:
    add_jobs(engine, "a", "b", "c", lane=1)
    add_jobs(engine, "d")
    add_jobs(engine, "e", at=NOW + timedelta(seconds=1))
    assert [lease.id for lease in take(engine, limit=3)] == ["d", "c", "b"]
    assert [lease.id for lease in take(engine)] == ["a"]
    assert take(engine) == []


def test_a_claim_returns_the_row_with_its_lease(engine: Engine) -> None:
    add_jobs(engine, "a")
    with engine.begin() as connection:
        (row,) = claim_jobs(connection)
    assert (row.fence, row.attempts, row.lease_owner, row.lease_until) == (1, 1, "worker", NOW + timedelta(seconds=60))


def test_an_expired_lease_is_claimed_again_with_a_higher_fence(engine: Engine) -> None:
    add_jobs(engine, "a")
    take(engine)
    assert take(engine, now=NOW + timedelta(seconds=59)) == []
    (again,) = take(engine, "other", now=NOW + timedelta(seconds=60))
    assert (again.fence, again.owner) == (2, "other")


@pytest.mark.parametrize("count", [1, 3, 1200])
def test_settling_ends_the_lease_and_starts_the_count_anew(engine: Engine, count: int) -> None:
    add_jobs(engine, *(f"{number:05d}" for number in range(count)))
    taken = take(engine, limit=count)
    assert finish_all(engine, taken, "done") == {lease.id for lease in taken}
    row = jobs(engine)["00000"]
    assert (row.state, row.result, row.lease_owner, row.lease_until, row.attempts) == ("DONE", "done", None, None, 0)


def test_each_row_may_get_values_of_its_own(engine: Engine) -> None:
    add_jobs(engine, *"abcdefgh")
    taken = take(engine)
    stale = Lease("b", 0, "worker", NOW + timedelta(seconds=60))
    outcomes = [(lease, {"state": "DONE", "result": lease.id * 3}) for lease in taken if lease.id != "b"]
    with engine.begin() as connection:
        kept = finish(connection, JOB, [*outcomes, (stale, {"result": "stale"})], now=NOW)
    assert kept == set("acdefgh")
    assert {key: row.result for key, row in jobs(engine).items()} == {
        key: None if key == "b" else key * 3 for key in "abcdefgh"
    }


def woken_late_finishes(engine: Engine, late: list[Lease], now: datetime) -> set[Any]:
    return finish_all(engine, late, "late", now)


def woken_late_renews(engine: Engine, late: list[Lease], now: datetime) -> set[Any]:
    with engine.begin() as connection:
        return {lease.id for lease in renew(connection, JOB, late, now=now, lease_seconds=60)}


def woken_late_releases(engine: Engine, late: list[Lease], now: datetime) -> set[Any]:
    with engine.begin() as connection:
        return release(connection, JOB, late, now=now, at=now)


@pytest.mark.parametrize("act", [woken_late_finishes, woken_late_renews, woken_late_releases])
@pytest.mark.parametrize("next_owner", ["worker", "other", None])
def test_a_worker_that_wakes_after_its_lease_changes_nothing(
    engine: Engine, act: Callable[[Engine, list[Lease], datetime], set[Any]], next_owner: str | None
) -> None:
    add_jobs(engine, "a", "b")
    late = take(engine)
    woken = NOW + timedelta(seconds=61)
    if next_owner:
        take(engine, next_owner, now=woken)
    before = jobs(engine)
    kept = act(engine, late, woken)
    assert kept == set()
    assert jobs(engine) == before
    with pytest.raises(LeaseLost, match="2 of 2"):
        ensure_kept(late, kept)


def test_without_the_fence_a_late_worker_would_write(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the same worker's later claim of the row must not legitimate what its earlier claim computed."""

    def ours_without_fence(table: Table, dialect: str) -> ColumnElement[bool]:
        running = (table.c.lease_owner == bindparam("owner")) & (table.c.lease_until > bindparam("now"))
        return table.c.id.in_(bindparam("lease_ids", expanding=True)) & running

    add_jobs(engine, "a")
    late = take(engine)
    take(engine, now=NOW + timedelta(seconds=61))
    assert finish_all(engine, late, "late", NOW + timedelta(seconds=62)) == set()
    monkeypatch.setattr(leases, "_ours", ours_without_fence)
    leases._writing.cache_clear()
    assert finish_all(engine, late, "late", NOW + timedelta(seconds=62)) == {"a"}
    leases._writing.cache_clear()


def test_a_renewed_lease_holds_longer(engine: Engine) -> None:
    add_jobs(engine, "a")
    taken = take(engine)
    with engine.begin() as connection:
        (renewed,) = renew(connection, JOB, taken, now=NOW + timedelta(seconds=30), lease_seconds=60)
    assert renewed.until == NOW + timedelta(seconds=90)
    assert take(engine, "other", now=NOW + timedelta(seconds=89)) == []
    assert finish_all(engine, [renewed], "done", NOW + timedelta(seconds=89)) == {"a"}


def test_a_released_row_is_due_again_and_its_attempt_does_not_count(engine: Engine) -> None:
    add_jobs(engine, "a")
    with engine.begin() as connection:
        release(connection, JOB, [lease_of(JOB, r) for r in claim_jobs(connection)], now=NOW, at=NOW)
    (again,) = take(engine)
    assert (again.fence, jobs(engine)["a"].attempts) == (2, 1)


def test_a_process_alone_ends_the_leases_of_the_one_before(engine: Engine) -> None:
    """On SQLite it is alone; on PostgreSQL it can't know."""
    add_jobs(engine, "a", "b")
    (dead,) = take(engine, limit=1)
    alone = engine.dialect.name == "sqlite"
    assert end_leases(engine, [(JOB, in_state(JOB, "READY"))]) == alone
    assert end_leases(engine, [(JOB, in_state(JOB, "DONE"))]) == 0
    assert len(take(engine, "next")) == 1 + alone
    with engine.begin() as connection:
        kept = finish(connection, JOB, [(dead, {"result": "late"})], now=NOW)
    assert kept == (set() if alone else {dead.id})


def test_workers_that_claim_at_once_share_no_row(engine: Engine) -> None:
    add_jobs(engine, *(f"{number:03d}" for number in range(100)))
    claimed: list[list[str]] = []

    def work(owner: str) -> None:
        mine: list[str] = []
        while taken := take(engine, owner, limit=7):
            mine += [lease.id for lease in taken]
        claimed.append(mine)

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job for mine in claimed for job in mine) == [f"{number:03d}" for number in range(100)]


def test_a_claim_passes_over_rows_that_another_is_claiming(engine_for: EngineFor) -> None:
    engine = engine_for(SAMPLE)
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    add_jobs(engine, "a", "b", "c")
    with engine.begin() as first, engine.begin() as second:
        assert [row.id for row in claim_jobs(first, "first", limit=2)] == ["c", "b"]
        assert [row.id for row in claim_jobs(second, "second", limit=2)] == ["a"]


@pytest.mark.parametrize(("attempt", "most"), [(0, 2), (1, 2), (2, 4), (4, 16), (7, 60), (5000, 60)])
def test_backoff_grows_by_two_up_to_its_cap_with_full_jitter(attempt: int, most: float) -> None:
    waits = [backoff(attempt, random.Random(seed), 2, 60) for seed in range(200)]
    assert 0 <= min(waits) < most * 0.05
    assert most * 0.95 < max(waits) <= most


def test_a_spent_budget_gives_no_next_try() -> None:
    policy = RetryPolicy(base_seconds=1, cap_seconds=10, max_attempts=3)
    tries = [policy.next_try(attempts, NOW, random.Random(1)) for attempts in (1, 2, 3)]
    assert [at is None for at in tries] == [False, False, True]


def test_a_claim_walks_the_index_of_what_waits(engine: Engine) -> None:
    """Neither a scan nor a sort of all that waits, also while a planner has no statistics yet."""
    add_jobs(engine, *(f"{number:05d}" for number in range(3000)))
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    plans: list[str] = []

    def look(connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if "picked" in statement:
            cursor.execute(f"{explain} {statement}", parameters)
            plans.append(str(cursor.fetchall()))

    event.listen(engine, "before_cursor_execute", look)
    with engine.begin() as connection:
        claim(
            connection,
            JOB,
            where=in_state(JOB, "READY"),
            order_by=[JOB.c.lane, JOB.c.id],
            limit=50,
            owner="worker",
            now=NOW,
            lease_seconds=60,
        )
    event.remove(engine, "before_cursor_execute", look)
    (plan,) = plans
    assert "ix_job_waiting" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
