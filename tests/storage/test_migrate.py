from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, inspect, text

from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from libs.storage.revisions import check, write_revision
from tests.storage.fixtures import EngineFor, database_for, drop
from tests.storage.sample.storage.rows import metadata

SAMPLE = "tests.storage.sample"
ROOT = Path(__file__).parents[2]


def test_the_migrations_make_exactly_the_declared_tables(engine_for: EngineFor) -> None:
    assert check(engine_for(SAMPLE), metadata, SAMPLE) == []


def test_a_table_without_a_migration_is_found(engine_for: EngineFor) -> None:
    declared = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        table.to_metadata(declared)
    Table("forgotten", declared, Column("id", Integer, primary_key=True))
    assert any("forgotten" in difference for difference in check(engine_for(SAMPLE), declared, SAMPLE))


def test_a_check_without_a_migration_is_found(engine_for: EngineFor) -> None:
    engine = engine_for(SAMPLE)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE note"))
        connection.execute(
            text("CREATE TABLE note (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, body VARCHAR NOT NULL)")
        )
    assert "check ck_note_body_is_not_empty of note" in check(engine, metadata, SAMPLE)


def test_an_upgrade_may_be_repeated(engine_for: EngineFor) -> None:
    engine = engine_for(SAMPLE)
    upgrade(engine, SAMPLE)
    assert inspect(engine).has_table("job")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_start_at_once_migrate_once(kind: str, tmp_path: Path) -> None:
    url, schema = database_for(kind, tmp_path, SAMPLE)
    program = (
        "import sys; from libs.storage.engine import open_engine; from libs.storage.migrate import upgrade;"
        f"upgrade(open_engine(sys.argv[1], sys.argv[2]), {SAMPLE!r})"
    )
    starts = [subprocess.Popen([sys.executable, "-c", program, url, schema], cwd=ROOT) for _ in range(4)]
    assert [start.wait(60) for start in starts] == [0, 0, 0, 0]
    engine = open_engine(url, schema)
    assert check(engine, metadata, SAMPLE) == []
    drop(engine)


@pytest.fixture
def new_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service without migrations, as a package on the path."""
    storage = tmp_path / "newservice" / "storage"
    storage.mkdir(parents=True)
    (storage.parent / "__init__.py").write_text("")
    source = Path(__file__).with_name("sample") / "storage" / "rows.py"
    (storage / "__init__.py").write_text("")
    (storage / "rows.py").write_text(source.read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in ("newservice", "newservice.storage", "newservice.storage.rows"):
        sys.modules.pop(module, None)
    return storage


def test_the_command_writes_versions_that_run_on_both_databases(
    new_service: Path,
    engine_for: EngineFor,
) -> None:
    assert write_revision("newservice", "first tables").name == "0001_first_tables.py"
    sys.modules.pop("newservice.storage.rows")
    declared = new_service / "rows.py"
    declared.write_text(declared.read_text().replace("    body: str\n", "    body: str\n    author: str = ''\n"))
    second = write_revision("newservice", "authors")
    assert second.name == "0002_authors.py"
    assert "author" in second.read_text()
    newest = sys.modules.pop("newservice.storage.rows").metadata
    assert check(engine_for("newservice"), newest, "newservice") == []


def test_a_failed_migration_leaves_nothing_behind(new_service: Path, engine_for: EngineFor) -> None:
    version = write_revision("newservice", "first tables")
    sys.modules.pop("newservice.storage.rows")
    version.write_text(version.read_text().replace("def downgrade", "    op.execute('nonsense')\n\n\ndef downgrade"))
    with pytest.raises(Exception, match="nonsense"):
        engine_for("newservice")
    version.write_text(version.read_text().replace("    op.execute('nonsense')\n", ""))
    assert tables_of(engine_for("newservice")) == []
    upgrade(engine_for("newservice"), "newservice")
    assert "job" in tables_of(engine_for("newservice"))


def tables_of(engine: Engine) -> list[str]:
    return inspect(engine).get_table_names()
