from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import OperationalError

from libs.errors import ConcordError, Kind
from libs.storage import engine as engines
from libs.storage.engine import copy_template, database_url, ensure_reachable, open_engine, reading
from libs.storage.errors import ConstraintBroken, StorageConflict, StorageFull, StorageUnavailable
from libs.storage.migrate import upgrade
from libs.storage.types import UtcTimestamp
from libs.storage.uow import AFTER_COMMIT, BEFORE_COMMIT, UnitOfWork, once_more
from tests.storage.fixtures import EngineFor
from tests.storage.sample.storage.rows import NOTE

SAMPLE = "tests.storage.sample"


@pytest.fixture
def engine(engine_for: EngineFor) -> Engine:
    return engine_for(SAMPLE)


def names(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(NOTE.c.name).order_by(NOTE.c.name)))


def add_note(uow: UnitOfWork, name: str, body: str = "text") -> None:
    uow.connection.execute(insert(NOTE), [{"name": name, "body": body}])


def test_what_is_committed_stays_and_what_is_not_is_rolled_back(engine: Engine) -> None:
    with UnitOfWork(engine) as uow:
        add_note(uow, "kept")
        uow.commit()
        add_note(uow, "forgotten")
    with UnitOfWork(engine) as uow:
        add_note(uow, "left")
    with suppress(ZeroDivisionError), UnitOfWork(engine) as uow:
        add_note(uow, "failed")
        raise ZeroDivisionError
    assert names(engine) == ["kept"]


@pytest.mark.parametrize(("point", "stored"), [(BEFORE_COMMIT, []), (AFTER_COMMIT, ["a"])])
def test_a_crash_can_be_played_on_both_sides_of_the_commit(engine: Engine, point: str, stored: list[str]) -> None:
    def crash(reached: str) -> None:
        if reached == point:
            raise KeyboardInterrupt

    with UnitOfWork(engine, crash) as uow:
        add_note(uow, "a")
        with pytest.raises(KeyboardInterrupt):
            uow.commit()
    assert names(engine) == stored


def test_the_observer_sees_both_points_of_a_commit(engine: Engine) -> None:
    seen: list[str] = []
    with UnitOfWork(engine, seen.append) as uow:
        uow.commit()
    assert seen == [BEFORE_COMMIT, AFTER_COMMIT]


def test_a_taken_key_is_a_conflict_that_shows_no_values(engine: Engine) -> None:
    with UnitOfWork(engine) as uow:
        add_note(uow, "secret name")
        uow.commit()
    with pytest.raises(StorageConflict) as caught, UnitOfWork(engine) as uow:
        add_note(uow, "secret name")
    assert caught.value.kind is Kind.RETRY
    assert "note" in caught.value.constraint
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_broken_check_is_a_bug_that_shows_no_values(engine: Engine) -> None:
    with pytest.raises(ConstraintBroken, match="body_is_not_empty") as caught, UnitOfWork(engine) as uow:
        add_note(uow, "secret name", body="")
    assert "secret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_failed_statement_shows_no_values(engine: Engine) -> None:
    with pytest.raises(Exception, match=r"(?i)hide_parameters|hidden") as caught, UnitOfWork(engine) as uow:
        uow.connection.execute(text("SELECT nothing FROM note WHERE name = :name"), {"name": "secret name"})
    assert "secret" not in str(caught.value)


def test_a_lost_race_is_run_once_more(engine: Engine) -> None:
    tries: list[str] = []

    def work() -> str:
        tries.append("try")
        with UnitOfWork(engine) as uow:
            if len(tries) == 1:
                add_note(uow, "a")
                add_note(uow, "a")
            uow.commit()
        return "done"

    assert once_more(work) == "done"
    assert len(tries) == 2


def test_a_reader_sees_one_moment_and_does_not_wait_for_the_writer(engine: Engine) -> None:
    with UnitOfWork(engine) as uow, reading(engine) as reader:
        assert reader.scalars(select(NOTE.c.name)).all() == []
        add_note(uow, "a")
        uow.commit()
        assert reader.scalars(select(NOTE.c.name)).all() == []
    assert names(engine) == ["a"]


def test_a_read_only_unit_of_work_reads(engine: Engine) -> None:
    with UnitOfWork(engine) as uow:
        add_note(uow, "a")
        uow.commit()
    with UnitOfWork(engine, read_only=True) as uow:
        assert uow.connection.scalars(select(NOTE.c.name)).all() == ["a"]


def test_writers_of_one_file_take_turns_in_the_order_they_came(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/turns.db", "sample")
    upgrade(engine, SAMPLE)
    order: list[str] = []

    def write(name: str) -> None:
        with UnitOfWork(engine) as uow:
            add_note(uow, name)
            order.append(name)
            uow.commit()

    threads = [threading.Thread(target=write, args=(f"writer {number}",)) for number in range(8)]
    with UnitOfWork(engine) as uow:
        add_note(uow, "first")
        for thread in threads:
            thread.start()
            time.sleep(0.02)
        uow.commit()
    for thread in threads:
        thread.join()
    assert order == [f"writer {number}" for number in range(8)]
    engine.dispose()


def test_a_writer_whose_turn_never_comes_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_SECONDS", 0.05)
    engine = open_engine(f"sqlite:///{tmp_path}/turns.db", "sample")
    other_process = open_engine(f"sqlite:///{tmp_path}/turns.db", "sample")
    upgrade(engine, SAMPLE)
    with UnitOfWork(engine) as uow:
        uow.connection.execute(select(NOTE))  # the database is ours before we write, so that what we read stays true
        for second in (engine, other_process):
            with pytest.raises(StorageConflict), UnitOfWork(second) as waiting:
                add_note(waiting, "second")
        add_note(uow, "first")
        uow.commit()
    with UnitOfWork(engine) as uow:  # the turn is free again
        add_note(uow, "third")
        uow.commit()
    assert names(engine) == ["first", "third"]
    engine.dispose()
    other_process.dispose()


def test_a_full_disk_has_its_own_error(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/full.db", "sample")
    upgrade(engine, SAMPLE)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=30")
        with pytest.raises(StorageFull):
            connection.execute(insert(NOTE), [{"name": str(number), "body": "x" * 3000} for number in range(200)])
    engine.dispose()


def unreachable_server(folder: Path) -> str:
    return "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"


def missing_folder(folder: Path) -> str:
    return f"sqlite:///{folder}/missing/x.db"


@pytest.mark.parametrize("url_in", [unreachable_server, missing_folder])
def test_a_database_that_is_not_there_is_unavailable(url_in: Callable[[Path], str], tmp_path: Path) -> None:
    engine = open_engine(url_in(tmp_path), "sample")
    with pytest.raises(StorageUnavailable), UnitOfWork(engine) as uow:
        uow.connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("url_in", [unreachable_server, missing_folder])
def test_a_probe_of_a_database_that_is_not_there_says_so(url_in: Callable[[Path], str], tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        ensure_reachable(open_engine(url_in(tmp_path), "sample"))


def test_a_probe_of_a_migrated_database_ends_well_and_of_another_does_not(engine: Engine, tmp_path: Path) -> None:
    ensure_reachable(engine)
    empty = open_engine(f"sqlite:///{tmp_path}/empty.db", "sample")
    with pytest.raises(OperationalError, match="alembic_version"):
        ensure_reachable(empty)
    empty.dispose()


def test_a_server_that_is_gone_without_a_word_is_noticed_unless_the_url_says_otherwise(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no server")
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        told = driver.info.get_parameters()
        assert (told["connect_timeout"], told["tcp_user_timeout"]) == ("10", "30000")
    other = open_engine(
        engine.url.update_query_dict({"connect_timeout": "3"}).render_as_string(hide_password=False), "sample"
    )
    with other.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.info.get_parameters()["connect_timeout"] == "3"
    other.dispose()


def test_after_a_broken_connection_the_next_use_works(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    with UnitOfWork(engine) as uow:
        backend = uow.connection.scalar(text("SELECT pg_backend_pid()"))
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})
        with pytest.raises(StorageUnavailable):
            uow.connection.execute(text("SELECT 1"))
    assert names(engine) == []


def test_a_copy_of_a_template_is_quick_and_apart() -> None:
    template = open_engine("sqlite://", "sample")
    upgrade(template, SAMPLE)
    with UnitOfWork(template) as uow:
        add_note(uow, "from the template")
        uow.commit()
    copies = [copy_template(template) for _ in range(2)]
    durations = []
    for number, copy in enumerate(copies):
        with UnitOfWork(copy) as uow:
            add_note(uow, f"copy {number}")
            uow.commit()
    for _ in range(20):
        start = time.perf_counter()
        with copy_template(template).connect():
            durations.append(time.perf_counter() - start)
    assert [names(each) for each in (template, *copies)] == [
        ["from the template"],
        ["copy 0", "from the template"],
        ["copy 1", "from the template"],
    ]
    assert min(durations) < 0.005


def test_an_instant_comes_back_as_it_was_and_sorts_by_time(engine: Engine) -> None:
    dialect = engine.dialect
    instants = [
        datetime(2026, 11, 22, 9, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=2))),
        datetime(2026, 11, 22, 10, 0, 0, 1, tzinfo=UTC),
    ]
    stored = [UtcTimestamp().process_bind_param(instant, dialect) for instant in instants]
    assert stored == sorted(stored)
    assert [UtcTimestamp().process_result_value(value, dialect) for value in stored] == instants
    with pytest.raises(ValueError, match="time zone"):
        UtcTimestamp().process_bind_param(datetime(2026, 1, 1), dialect)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("env", "url"),
    [
        ({}, "sqlite:///data/ledger.db"),
        ({"CONCORD_DATA_DIR": "/srv/concord"}, "sqlite:////srv/concord/ledger.db"),
        ({"CONCORD_DATABASE_URL": "postgresql://a"}, "postgresql://a"),
        ({"CONCORD_DATABASE_URL": "a", "CONCORD_LEDGER_DATABASE_URL": "b"}, "b"),
    ],
)
def test_a_service_s_own_database_url_wins_over_the_common_one(env: dict[str, str], url: str) -> None:
    assert database_url(env, "ledger") == url


@pytest.mark.parametrize(
    ("url", "schema"), [("mysql://x/y", "ledger"), ("sqlite://", "Ledger; DROP"), ("sqlite://", "")]
)
def test_other_databases_and_odd_schemas_are_refused(url: str, schema: str) -> None:
    with pytest.raises(ValueError, match=r"neither|not a schema"):
        open_engine(url, schema)


def test_all_storage_errors_can_be_acted_on() -> None:
    for error in (StorageConflict, StorageFull, StorageUnavailable):
        assert issubclass(error, ConcordError)
        assert not issubclass(error, OperationalError)
