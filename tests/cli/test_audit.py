"""An audit log that was changed after the fact is found by a command that anybody with the database can run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from cli.audit import DatabaseMissing, ServiceUnknown, WitnessInvalid
from cli.main import app
from libs.storage.audit import AuditEntry, AuditLog, SealHead
from libs.storage.engine import open_engine
from libs.storage.migrate import upgrade
from libs.storage.sealer import Sealer
from libs.storage.uow import UnitOfWork
from services.masterdata.storage import TABLES

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("CONCORD_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("CONCORD_DATABASE_URL", raising=False)
    monkeypatch.delenv("CONCORD_MASTERDATA_DATABASE_URL", raising=False)
    opened = open_engine(f"sqlite:///{tmp_path}/masterdata.db", "masterdata")
    upgrade(opened, "services.masterdata")
    return opened


def write(engine: Engine, *actions: str) -> None:
    with UnitOfWork(engine) as uow:
        log = AuditLog(uow.connection, TABLES)
        log.append([AuditEntry("companies/acme/mappingSets/1", one, "ann", AT, "0" * 32) for one in actions])
        uow.commit()
    Sealer(lambda: UnitOfWork(engine), TABLES).run_once()


def audit(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["audit", "masterdata", *arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_an_untouched_log_is_intact(engine: Engine) -> None:
    write(engine, "MAPPING_SET_PROPOSED", "MAPPING_SET_APPROVED")
    found = json.loads(audit("--json"))
    assert (found["entries"], found["sealed"], found["head"]["number"], found["faults"]) == (2, 2, 2, [])
    assert audit().startswith("masterdata: 0 rows, 2 entries, 2 sealed, intact; head 2 ")


@pytest.mark.parametrize(
    "change, fault",
    [
        ("UPDATE audit_entry SET actor = 'bob' WHERE id = 1", "entry 1 was changed"),
        ("DELETE FROM audit_entry WHERE id = 1", "seal 1 is missing"),
        ("DELETE FROM audit_entry WHERE id = 2", "the chain ends at seal 1, its head says 2"),
    ],
)
def test_a_change_after_the_fact_is_named_and_fails(engine: Engine, change: str, fault: str) -> None:
    write(engine, "MAPPING_SET_PROPOSED", "MAPPING_SET_APPROVED")
    with engine.begin() as connection:
        connection.execute(text(change))
    assert fault in audit(status=2)
    assert any(fault in one for one in json.loads(audit("--json", status=2))["faults"])


def test_a_log_cut_off_at_its_end_shows_against_a_witness_alone(engine: Engine, tmp_path: Path) -> None:
    write(engine, "MAPPING_SET_PROPOSED")
    with UnitOfWork(engine) as uow:
        before: SealHead = AuditLog(uow.connection, TABLES).head()
    write(engine, "MAPPING_SET_APPROVED")
    witness = tmp_path / "witness.jsonl"
    witness.write_text(audit("--json"))
    write(engine, "MAPPING_SET_ACTIVE")
    audit("--witness", str(witness))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_entry WHERE id > 1"))
        connection.execute(text("UPDATE seal_head SET audit_number = 1, audit_hash = :hash"), {"hash": before.hash})
    audit()
    assert "seal 2 is not the one that the witness saw" in audit("--witness", str(witness), status=2)


def test_what_can_not_be_verified_is_said(engine: Engine, tmp_path: Path) -> None:
    answers = {
        DatabaseMissing: ["audit", "ledger"],
        ServiceUnknown: ["audit", "legder"],
        WitnessInvalid: ["audit", "masterdata", "--witness", str(tmp_path / "masterdata.db")],
    }
    for error, arguments in answers.items():
        assert isinstance(CliRunner().invoke(app, arguments).exception, error)
    assert not (tmp_path / "ledger.db").exists()
