"""Resolve requirements*.in into hashed locks without addresses, or prove offline that they are current.

`python scripts/lock.py` asks the package index that pip and uv are set up for; `--check` asks nobody. A lock starts
with the digest of its inputs, so an edited input without a new lock is found even if every pin still agrees.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The first holds everything; the second is what the container images install.
LOCKS = {
    "requirements.lock": ("requirements-dev.in", "requirements.in"),
    "requirements-runtime.lock": ("requirements.in",),
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
ADDRESS = re.compile(r"[a-z]+://|--(?:extra-)?index-url|--find-links")


def digest_line(inputs: tuple[str, ...]) -> str:
    """The first line of a lock: what it was made from."""
    digest = hashlib.sha256()
    for name in inputs:
        digest.update(f"{name}\n".encode() + (ROOT / name).read_bytes())
    return f"# Made by `make lock` from inputs with sha256 {digest.hexdigest()}\n"


def normalized(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, set[str]]:
    """Package names with the versions that the text pins: several where they depend on the Python."""
    found: dict[str, set[str]] = {}
    for name, version in PIN.findall(text):
        found.setdefault(normalized(name), set()).add(version)
    return found


def compile_lock(name: str) -> None:
    """Resolve one lock anew, keeping the versions that still fit."""
    inputs, target = LOCKS[name], ROOT / name
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header"),
        *(inputs[0], "--output-file", name),
    ]
    if name != "requirements.lock":  # the images run the very versions that the tests ran
        command += ["--constraint", "requirements.lock", "--no-annotate"]
    subprocess.run(command, check=True, cwd=ROOT)
    lines = target.read_text().splitlines(keepends=True)
    body = "".join(line for line in lines if not line.startswith("# Made by"))
    target.write_text(digest_line(inputs) + body)


def faults(name: str) -> list[str]:
    """Why a lock cannot be trusted, one line a reason; none when it is current."""
    inputs, text = LOCKS[name], (ROOT / name).read_text()
    found = [] if text.startswith(digest_line(inputs)) else [f"{name}: its inputs changed since it was made"]
    locked = pins(text)
    for source in inputs:
        for package, versions in pins((ROOT / source).read_text()).items():
            if locked.get(package) != versions:
                found.append(f"{name}: {source} pins {package} {versions}, the lock has {locked.get(package)}")
    found += [f"{name}: no hash for {line}" for line in re.findall(r"^[A-Za-z0-9].*[^\\]$", text, re.MULTILINE)]
    found += [f"{name}: names an address: {line}" for line in text.splitlines() if ADDRESS.search(line)]
    return found


def installed_faults() -> list[str]:
    """Packages of this environment that are not at the locked version."""
    locked = pins((ROOT / "requirements.lock").read_text())
    here = {normalized(dist.name): dist.version for dist in metadata.distributions()}
    return [
        f"environment: {package} is {here[package]}, the lock says {versions}"
        for package, versions in sorted(locked.items())
        if package in here and here[package] not in versions
    ]


def main() -> int:
    """Write or check; the exit status says whether the locks are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, ask nobody; fail if a lock is not current")
    if not parser.parse_args().check:
        for name in LOCKS:
            compile_lock(name)
        return 0
    found = [fault for name in LOCKS for fault in faults(name)] + installed_faults()
    if found:
        sys.stderr.write("locks are not current, run `make lock`:\n  " + "\n  ".join(found) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
