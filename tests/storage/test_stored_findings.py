"""Findings that were stored as texts become values, and texts again."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, text

PLACES = import_module("services.recon.storage.migrations.versions.0003_findings_with_places")
LINES = import_module("services.masterdata.storage.migrations.versions.0003_findings_with_lines")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("LINES_KNOWN: 1 of 3 lines", ("LINES_KNOWN", "1 of 3 lines", "")),
        ("ROW_REPEATED: it stands twice (line 7)", ("ROW_REPEATED", "it stands twice", "line 7")),
        ("TIES: sums (of all) differ (S1)", ("TIES", "sums (of all) differ", "S1")),
        ("words alone", ("FINDING", "words alone", "")),
    ],
)
def test_a_file_s_findings(text: str, values: tuple[str, str, str]) -> None:
    new = PLACES._with_places([["s"], [], 3, [text]])
    assert new["findings"] == [dict(zip(("reason", "message", "position"), values, strict=True))]
    assert (new["statements"], new["lines"], new["duplicate"]) == (["s"], 3, False)
    assert json.loads(json.dumps(PLACES._as_texts(new)))[:3] == [["s"], [], 3]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "error ACCOUNT_UNKNOWN, line 3: account 1: none",
            {"severity": "error", "reason": "ACCOUNT_UNKNOWN", "line": 3, "message": "account 1: none"},
        ),
        ("words", {"severity": "warning", "reason": "FINDING", "line": 0, "message": "words"}),
    ],
)
def test_a_mapping_s_findings(text: str, found: dict[str, Any]) -> None:
    assert LINES._finding(text) == found


def test_a_mapping_s_findings_in_first_answers() -> None:
    mapping: dict[str, Any] = {
        "company": "acme",
        "number": 1,
        "findings": ["warning ROLE_UNMAPPED, line 3: no account has the role RND"],
    }
    run = {"company": "acme", "changed": 2}
    columns = {"mapping_set": ("company", "number", "findings"), "request": ("id", "answer")}
    engine = create_engine("sqlite://")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        for table, names in columns.items():
            connection.execute(text(f"CREATE TABLE {table} ({', '.join(names)})"))
        for name, answer in (("1", mapping), ("2", run)):
            connection.execute(
                text("INSERT INTO request VALUES (:id, :answer)"), {"id": name, "answer": json.dumps(answer)}
            )
        stored = text("SELECT answer FROM request ORDER BY id")
        LINES.upgrade()
        assert list(map(json.loads, connection.scalars(stored))) == [
            mapping | {"findings": [LINES._finding(mapping["findings"][0])]},
            run,
        ]
        LINES.downgrade()
        assert list(map(json.loads, connection.scalars(stored))) == [mapping, run]
