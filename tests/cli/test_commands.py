"""The command line as a whole: what is documented exists, and what can't work says why in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.connection import NotConnected
from cli.main import COMMANDS, app
from cli.trace import TransactionIdInvalid
from libs.access import AccessScope, ScopeInvalid
from libs.rpc.identity import TokenKeys, TokenVerifier

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "docker" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
KNOWN_ID = "01a205bc42d57164822368fc5079b3d4"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert f"Usage: root {name}" in shown.output
    assert "install-completion" not in shown.output


def commands(command: Any, name: str = "") -> dict[str, Any]:
    """Every command that does something, by its whole name."""
    if not hasattr(command, "list_commands"):
        return {name: command}
    context = command.make_context("root", [], resilient_parsing=True)
    found: dict[str, Any] = {}
    for one in command.list_commands(context):
        found |= commands(command.get_command(context, one), f"{name} {one}".strip())
    return found


@pytest.mark.parametrize(("name", "command"), commands(typer.main.get_command(app)).items())
def test_every_command_answers_in_json_and_explains_each_word(name: str, command: Any) -> None:
    assert command.help, name
    assert "--json" in {option for one in command.params for option in one.opts}
    assert [one.name for one in command.params if not one.help] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_command_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = re.findall(r"(?:^ *|\.venv/bin/|`|… )concord ([a-z]+)", text, re.MULTILINE)
    assert set(named) <= COMMANDS.keys()


@pytest.mark.parametrize("given", ["", "nonsense", KNOWN_ID.upper(), KNOWN_ID[:-1], KNOWN_ID + "\n"])
def test_a_transaction_id_that_can_not_be_one_is_refused_before_anybody_is_asked(given: str) -> None:
    answer = CliRunner().invoke(app, ["trace", given])
    assert isinstance(answer.exception, TransactionIdInvalid)


@pytest.mark.parametrize("arguments", [["trace", KNOWN_ID], ["health"]])
def test_a_question_without_a_suite_says_that_none_is_known(tmp_path: Path, arguments: list[str]) -> None:
    answer = CliRunner(env={"CONCORD_DATA_DIR": str(tmp_path)}).invoke(app, arguments)
    assert isinstance(answer.exception, NotConnected)


def test_a_server_that_is_not_there_is_unreachable_and_the_status_says_so() -> None:
    answer = CliRunner().invoke(app, ["health", "127.0.0.1:1", "--timeout-seconds", "0.2", "--json"])
    assert answer.exit_code == 1
    assert json.loads(answer.output) == {"address": "127.0.0.1:1", "service": "", "status": "UNREACHABLE"}


def test_a_token_names_what_it_reaches_and_says_so_where_that_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCORD_TOKEN_KEYS", "k1:" + "k" * 40)
    command = ["token", "--role", "partner", "--subject", "shop", "--json"]
    named = CliRunner().invoke(app, [*command, "--company", "acme", "--source", "shopify/*"])
    shown = json.loads(named.stdout)
    assert (shown["companies"], shown["sources"], named.stderr) == (["acme"], ["shopify/*"], "")
    keys = TokenKeys.parse("k1:" + "k" * 40)
    assert TokenVerifier(keys).verify(shown["token"]).scope == AccessScope.of(["acme"], ["shopify/*"])
    assert "reaches nothing" in CliRunner().invoke(app, command).stderr
    with pytest.raises(ScopeInvalid):
        CliRunner().invoke(app, [*command, "--source", "shopify"], catch_exceptions=False)
