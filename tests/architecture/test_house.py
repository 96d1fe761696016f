"""The tools of the house: the lock's check, the stubs' check, the launcher."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import lock
from tests.architecture.source import ROOT

LAUNCHER = ROOT / ".venv" / "bin" / "concord"


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the inputs and locks that may be spoilt."""
    for name in ("requirements.in", "requirements-dev.in", *lock.LOCKS):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    return tmp_path


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_locks_as_they_are_have_no_fault(locks: Path) -> None:
    assert [fault for name in lock.LOCKS for fault in lock.faults(name)] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("requirements.in", "lxml==", "# lxml\nlxml==", "inputs changed"),
        ("requirements.in", "sqlmodel==0.0.50", "sqlmodel==0.0.49", "pins sqlmodel"),
        ("requirements.lock", "sqlmodel==0.0.50", "sqlmodel==0.0.51", "pins sqlmodel"),
        ("requirements.lock", "sqlmodel==0.0.50 \\\n", "sqlmodel==0.0.50\n", "no hash for sqlmodel"),
        ("requirements.lock", "alembic==", "--index-url https://host/simple\nalembic==", "names an address"),
    ],
)
def test_a_lock_that_is_not_current_is_found(locks: Path, file: str, old: str, new: str, fault: str) -> None:
    spoil(locks / file, old, new)
    assert any(fault in line for line in lock.faults("requirements.lock"))


def test_the_images_run_the_versions_that_the_tests_run() -> None:
    runtime, everything = (lock.pins((ROOT / name).read_text()) for name in reversed(lock.LOCKS))
    assert runtime
    assert {name: versions for name, versions in runtime.items() if everything.get(name) != versions} == {}


def test_the_command_starts_from_any_folder_whatever_lies_there(tmp_path: Path) -> None:
    for stranger in ("cli", "libs", "services"):
        (tmp_path / stranger).mkdir()
        (tmp_path / stranger / "__init__.py").write_text("raise RuntimeError('a stranger')")
    link = tmp_path / "concord"
    link.symlink_to(LAUNCHER)
    for command in (LAUNCHER, link):
        done = subprocess.run([command, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "health" in done.stdout
