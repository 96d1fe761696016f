"""Another commit beside this one: its files in a folder, and its processes, which run its own code.

Whoever measures an old tree talks to it by what lasts: command lines, HTTP, gRPC.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.machine import ROOT

STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Tree:
    """A checked-out commit. `name` is `old` or `new`."""

    name: str
    path: Path

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None, quiet: bool = False
    ) -> subprocess.Popen[str]:
        """A process of this tree: a module and its arguments, by the running interpreter. Its output can be read.

        `quiet`: without its log.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
        found = {"PYTHONPATH": f"{self.path}{os.pathsep}{self.path / 'libs' / 'stubs'}"}
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=self.path,
            env={**inherited, **found, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            text=True,
        )

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """A process that runs for the block: its id, and the JSON line that it printed when it was ready."""
        process = self.start(*arguments)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{arguments[0]} of the {self.name} tree did not start")
            yield process.pid, json.loads(line)
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Stop it in order, or else by force."""
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


@contextmanager
def both_trees(commit: str) -> Iterator[tuple[Tree, Tree]]:
    """The old commit in a folder of its own for the time of the block, and this tree as it stands."""
    folder = ROOT / "build" / f"old-{os.getpid()}"
    _git("worktree", "add", "--detach", str(folder), commit)
    try:
        yield Tree("old", folder), Tree("new", ROOT)
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True)
