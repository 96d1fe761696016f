"""`concord provider`: the guide is followed to the letter, in a copy of the tree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.provider import ProviderExists, ProviderNameInvalid, app, check_name
from providers import NAMES
from tests.architecture.source import ROOT
from tests.eventually import eventually

GUIDE = (ROOT / "docs" / "providers.md").read_text()
COPIED = ("cli", "libs", "protos", "providers", "sandbox", "services", "tests", "pyproject.toml")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path)
    return tmp_path


def run(tree: Path, line: str) -> subprocess.CompletedProcess[str]:
    """A block of the guide, with this interpreter instead of the tree's own."""
    return subprocess.run(
        ["bash", "-euc", typed(line)], cwd=tree, env=environment(tree), capture_output=True, text=True, check=False
    )


def succeeds(tree: Path, line: str) -> bool:
    return run(tree, line).returncode == 0


def typed(line: str) -> str:
    return line.replace(".venv/bin/python", sys.executable).replace(".venv/bin/concord", f"{sys.executable} -m cli")


def environment(tree: Path) -> dict[str, str]:
    return {"PYTHONPATH": f"{tree}:{tree}/libs/stubs", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def started(tree: Path, text: str) -> Iterator[dict[str, int]]:
    """The suite as the guide starts it, on ports that are free."""
    text = typed(text.replace(".venv/bin/concord up", "exec .venv/bin/concord up --free-ports --json"))
    suite = subprocess.Popen(["bash", "-euc", text], cwd=tree, env=environment(tree), stdout=subprocess.PIPE, text=True)
    assert suite.stdout is not None
    try:
        yield json.loads(suite.stdout.readline())["ports"]
    finally:
        suite.terminate()
        suite.communicate(timeout=60)


def test_the_guide_makes_a_shop_whose_order_is_posted(tree: Path) -> None:
    new, fails, sign, show, keep, passes, say, start, mean, send, missing = blocks("sh")
    (order, refund), (translation,) = blocks("json"), blocks("python")
    assert run(tree, new).returncode == 0
    assert '    "teashop",\n' in (tree / "providers" / "__init__.py").read_text()
    unfilled = run(tree, fails)
    assert unfilled.returncode == 1, unfilled.stdout
    assert "test_a_payload_gives_its_events[teashop/payload]" in unfilled.stdout
    golden = tree / "tests" / "golden" / "teashop"
    (golden / "payload.json").write_text(order)
    (golden / "refund.json").write_text(refund)
    signature = run(tree, sign).stdout.strip()
    about = (golden / "golden.yaml").read_text()
    (golden / "golden.yaml").write_text(re.sub(r"(x-teashop-signature: )\w+", rf"\g<1>{signature}", about))
    (tree / "providers" / "teashop" / "translation.py").write_text(translation)
    (event,) = json.loads(run(tree, show).stdout)["events"]
    assert (event["kind"], event["amount"]) == ("document", ["USD", 2160])
    assert run(tree, keep).returncode == 0
    filled = run(tree, passes)
    assert filled.returncode == 0, filled.stdout
    architecture = run(
        tree, ".venv/bin/python -m pytest -q tests/architecture/test_providers.py -k 'teashop or folder'"
    )
    assert architecture.returncode == 0, architecture.stdout
    with started(tree, say + start) as ports:
        meaning = run(tree, say + mean)
        assert meaning.returncode == 0, meaning.stdout + meaning.stderr
        send = send.replace(":8080/", f":{ports['http']}/")
        for text, number in ((send, "INV/"), (send.replace("payload.json", "refund.json"), "RINV/")):
            answer = run(tree, say + text).stdout
            assert answer.startswith("HTTP/1.1 202"), answer
            transaction = json.loads(answer.splitlines()[-1])["transaction_id"]
            trace = f"{say}.venv/bin/concord trace {transaction} | grep -q 'odoo number {number}'"
            eventually(partial(succeeds, tree, trace))
        assert run(tree, say + missing).stdout == ""


@pytest.mark.parametrize("name", ["", "ab", "Acme", "a-b", "1acme", "class", "../acme", "a" * 32, "event", "gateway"])
def test_a_name_that_is_none_or_that_the_product_uses_is_refused(name: str) -> None:
    with pytest.raises(ProviderNameInvalid):
        check_name(name)


@pytest.mark.parametrize("name", [*NAMES, "reading", "camt"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    with pytest.raises(ProviderExists):
        check_name(name)


def test_the_providers_are_listed_with_their_powers() -> None:
    found = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)["providers"]
    assert [one["name"] for one in found] == list(NAMES)
    assert {"name": "dummy", "powers": ["webhooks", "polling", "reports"]} in found
    assert "polling" in CliRunner().invoke(app, ["list"]).stdout
