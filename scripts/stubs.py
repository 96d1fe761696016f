"""Generate libs/stubs from protos/: messages, services and their types.

`python scripts/stubs.py` writes them; with `--check` nothing is written and the exit status is 1 when the stubs
that are checked in differ from what protos/ gives. The stubs of google.* stay in their own wheels.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import grpc_tools

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
STUBS = ROOT / "libs" / "stubs"


def generate(into: Path) -> None:
    """Write all stubs below `into`, with the package files that an import needs."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    if not sources:
        raise SystemExit("stubs: no .proto file under protos/")
    scripts = Path(sys.executable).parent
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    google_common = sysconfig.get_path("purelib")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={well_known}",
            f"--proto_path={google_common}",
            f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
            f"--python_out={into}",
            f"--grpc_python_out={into}",
            f"--mypy_out=quiet:{into}",
            # Servers and callers are synchronous: one kind of stub keeps their types plain.
            f"--mypy_grpc_out=quiet,only_sync:{into}",
            *sources,
        ],
        check=True,
        cwd=PROTOS,
    )
    for types in into.rglob("*_pb2_grpc.pyi"):
        if "class " not in types.read_text():  # a file without services: nobody imports its empty gRPC half
            types.unlink()
            types.with_suffix(".py").unlink()
    for folder in {parent for path in into.rglob("*_pb2.py") for parent in path.parents if into in parent.parents}:
        (folder / "__init__.py").write_text("")
    (into / "concord" / "py.typed").write_text("")


def files_under(folder: Path) -> set[Path]:
    """Every generated file below the folder, relative to it."""
    return {
        path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }


def differences(fresh: Path) -> list[str]:
    """What is missing, left over or changed in the stubs that are checked in, one line each."""
    wanted, present = files_under(fresh), files_under(STUBS)
    changed = [path for path in wanted & present if not filecmp.cmp(fresh / path, STUBS / path, shallow=False)]
    lines = [f"missing: {path}" for path in wanted - present]
    lines += [f"left over: {path}" for path in present - wanted]
    lines += [f"changed: {path}" for path in changed]
    return sorted(lines)


def replace(fresh: Path) -> None:
    """Put the fresh stubs in place, touching only files that differ, so that imports elsewhere never find none."""
    for path in sorted(files_under(fresh)):
        target = STUBS / path
        if not target.exists() or not filecmp.cmp(fresh / path, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh / path, target)
    for path in files_under(STUBS) - files_under(fresh):
        (STUBS / path).unlink()


def main() -> int:
    """Write or check; the exit status says whether the stubs are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the stubs are not current")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        if not check:
            replace(fresh)
            return 0
        stale = differences(fresh)
        if stale:
            sys.stderr.write("stubs are not current, run `make protos`:\n  " + "\n  ".join(stale) + "\n")
        return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
