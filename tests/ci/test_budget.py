"""A step of CI has a price in CPU time: beyond it it warns, beyond twice it fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import budget
from scripts.budget import BEYOND_TWICE, BUDGET, NO_BUDGET, Budget
from tests.architecture.source import ROOT

BURN = "import time\nwhile time.process_time() < 0.6: pass"


@pytest.fixture(autouse=True)
def no_run_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """CI runs these tests inside a run of its own, whose scale and notes are not theirs."""
    monkeypatch.delenv("CONCORD_CI_SCALE", raising=False)
    monkeypatch.delenv("CONCORD_CI_SPENT", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "budget.tsv"
    path.write_text("# a comment\ncalibration\t0.1\nample\t60\nwarned\t0.5\nfails\t0.2\nclock\t0.5\ttimed\n")
    return path


@pytest.mark.parametrize(
    ("step", "scale", "status", "said"),
    [
        ("ample", "1", 0, "ample: passed in"),
        ("warned", "1", 0, "CPU seconds WARNING: beyond its budget"),
        ("fails", "1", BEYOND_TWICE, "fails: FAILED in"),
        ("fails", "10", 0, "fails: passed in"),  # on a machine ten times as slow
        ("clock", "10", 0, "WARNING"),  # it runs for a time on any machine
        ("stranger", "1", NO_BUDGET, "no budget"),
    ],
)
def test_a_step_is_measured_with_its_children(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    step: str,
    scale: str,
    status: int,
    said: str,
) -> None:
    script = "import sys\nfrom pathlib import Path\nfrom scripts.budget import main\nsys.exit(main(sys.argv[2:], Path(sys.argv[1])))"
    monkeypatch.setenv("CONCORD_CI_SCALE", scale)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    burning = ["sh", "-c", f'"{sys.executable}" -c "{BURN}"; true']
    assert subprocess.run([sys.executable, "-c", script, file, "run", step, *burning], check=False).returncode == status
    assert said in capfd.readouterr().out


def test_a_step_that_fails_keeps_its_status(file: Path) -> None:
    assert budget.main(["run", "ample", "sh", "-c", "exit 7"], file) == 7


def test_the_summary_adds_up_what_the_steps_have_cost(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spent = tmp_path / "spent"
    spent.write_text("ample\t90\tpassed\nwarned\t30\tpassed WARNING\n")
    monkeypatch.setenv("CONCORD_CI_SPENT", str(spent))
    assert budget.main(["summary"], file) == 0
    said = capsys.readouterr().out
    assert "warned: passed WARNING\n" in said
    assert "in all 2 of 1 CPU minutes (scale 1.00, calibration 0.100)" in said


def test_every_step_of_ci_has_its_budget_and_all_of_them_are_ninety_minutes_at_most() -> None:
    steps = re.findall(r"^step ([a-z-]+) ", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    known = Budget.read(BUDGET)
    assert list(known.steps) == steps
    assert sum(known.steps.values()) <= 90 * 60
    assert known.timed == {"sim", "sim-postgres"}


def test_the_calibration_is_a_piece_of_work_that_takes_some_time() -> None:
    assert 0.001 < budget.calibrate() < 60
