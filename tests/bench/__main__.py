"""`make bench` and `make bench-live`: measures in turns, prints tables, keeps the raw figures.

    python -m tests.bench                     every workload, on SQLite and on the PostgreSQL of the environment
    python -m tests.bench ingest accept       these only
    python -m tests.bench live                posting to the Odoo that CONCORD_TEST_ODOO_URL names
    python -m tests.bench turns --old COMMIT  an old commit and this tree in turns; see tests/bench/commits.py

It measures and proves the work right; a missed goal is told, and is no failure.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench import accept, commits, ingest, machine, matching, memory, posting, proofs, report, tracing
from tests.bench.scratch import POSTGRESQL, SQLITE, Scratch
from tests.bench.turns import Result

POSTGRES = "CONCORD_TEST_POSTGRES_URL"
WORKLOADS = ("ingest", "accept", "proofs", "posting", "tracing", "matching", "memory")
TURNS = 5


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 once everything asked for was measured and proved right."""
    asked = _parser().parse_intermixed_args(arguments)
    names = asked.workloads or list(WORKLOADS)
    about = machine.describe()
    print(f"# Benchmarks\n\n{_told(about)}\n", flush=True)
    results = []
    for result in _chosen(names, asked):
        report.save(result, about, asked.out)
        print(report.markdown(result), flush=True)
        results.append(result)
    below = report.missed(results)
    print("Every goal is met." if not below else "Goals missed:\n\n" + "\n".join(f"- {one}" for one in below))
    print(f"\nRaw figures: {asked.out}")
    return 0


def _chosen(names: Sequence[str], asked: argparse.Namespace) -> Iterator[Result]:
    if names == ["live"]:
        return _live(asked)
    if names[0] != "turns":
        return _measured(names, asked)
    if not asked.old:
        raise SystemExit("bench turns: name the commit to compare with by --old")
    return commits.run(names[1:] or list(commits.WORKLOADS), asked.old, asked.turns, asked.scratch)


def _measured(names: Sequence[str], asked: argparse.Namespace) -> Iterator[Result]:
    kinds = [SQLITE] + ([POSTGRESQL] if os.environ.get(POSTGRES) else [])
    if POSTGRESQL not in kinds:
        print(f"No PostgreSQL: {POSTGRES} is not set.\n")
    both: dict[str, Callable[[Scratch, int], Result]] = {
        "ingest": ingest.run,
        "accept": accept.run,
        "proofs": proofs.run,
    }
    one: dict[str, Callable[[Scratch, int], Result]] = {"posting": posting.run, "tracing": tracing.run}
    for name in names:
        began = time.monotonic()
        for kind in kinds if name in both else [SQLITE]:
            with Scratch(kind, os.environ.get(POSTGRES, ""), asked.scratch) as scratch:
                if name == "matching":
                    yield matching.run(asked.turns)
                elif name == "memory":
                    yield memory.run(scratch, memory.Size(tuple(asked.events)))
                else:
                    yield (both | one)[name](scratch, asked.turns)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def _live(asked: argparse.Namespace) -> Iterator[Result]:
    from tests.bench import live
    from tests.live.server import Server, missing_variables

    missing = missing_variables(os.environ)
    if missing:
        raise SystemExit(f"bench live: set {', '.join(missing)}")
    with Scratch(SQLITE, parent=asked.scratch) as scratch:
        yield live.run(scratch, Server.from_env(os.environ), asked.turns)


def _told(about: dict[str, object]) -> str:
    return (
        f"{about['at']}, commit {about['commit']}, {about['cores']} cores ({about['processor']}), "
        f"{about['memory_gb']} GB, Python {about['python']}. Figures are medians of turns; suite and limit take turns."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Concord against its limits.")
    choices = [*WORKLOADS, "live", "turns", *commits.WORKLOADS, []]
    parser.add_argument("workloads", nargs="*", choices=choices, help="default: all but live and turns")
    parser.add_argument("--old", help="turns: the commit to compare this tree with")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"turns of each measurement ({TURNS})")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="where raw results go (build/bench)")
    parser.add_argument("--scratch", type=Path, help="where scratch databases go (the system's temporary folder)")
    parser.add_argument(
        "--events",
        type=int,
        nargs="+",
        default=list(memory.Size().events),
        help="events after which the memory workload reads memory",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
