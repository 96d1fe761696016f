"""The command line as a whole: what is documented exists, and what can't work says why in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.connection import NotConnected
from cli.main import COMMANDS, app
from cli.trace import TransactionIdInvalid

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
KNOWN_ID = "01a205bc42d57164822368fc5079b3d4"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert f"Usage: root {name}" in shown.output
    assert "install-completion" not in shown.output


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_command_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = re.findall(r"(?:^ *|\.venv/bin/|`|… )concord ([a-z]+)", text, re.MULTILINE)
    assert set(named) <= COMMANDS.keys()


@pytest.mark.parametrize("given", ["", "nonsense", KNOWN_ID.upper(), KNOWN_ID[:-1], KNOWN_ID + "\n"])
def test_a_transaction_id_that_can_not_be_one_is_refused_before_anybody_is_asked(given: str) -> None:
    answer = CliRunner().invoke(app, ["trace", given])
    assert isinstance(answer.exception, TransactionIdInvalid)


def test_a_trace_without_a_suite_says_that_none_is_known(tmp_path: Path) -> None:
    answer = CliRunner(env={"CONCORD_DATA_DIR": str(tmp_path)}).invoke(app, ["trace", KNOWN_ID])
    assert isinstance(answer.exception, NotConnected)
