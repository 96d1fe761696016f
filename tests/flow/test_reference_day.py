"""The accounting table's own day gives exactly its table, in the demo as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flow")]
ROOT = Path(__file__).resolve().parents[2]
# The table of the accounting reference: debit above zero. Accounts at zero are not listed.
TABLE = {
    "BANK": "118.97", "DSP": "43.20", "RET": "20.00", "FEE": "6.88", "DFE": "15.00", "FXD": "0.55",
    "REV": "-195.00", "TAX": "-9.60",
}  # fmt: skip


def test_the_reference_day_gives_its_table_twice_in_the_same_folder(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'libs' / 'stubs'}"
    command = [sys.executable, "-m", "cli", "demo", "--reference-only", "--json", "--data", str(tmp_path / "demo")]
    for _ in range(2):
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["trial_balance"] == dict(sorted(TABLE.items()))
        assert report["complete"]
        assert report["exceptions"] == report["differences"] == []
