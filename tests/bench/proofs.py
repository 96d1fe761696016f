"""What it costs that rows prove themselves: the audit's share of accepting events, and verifying against bare hashes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from unittest.mock import patch

from sqlalchemy import Engine

from libs.storage.audit import PendingEntries
from libs.storage.encoding import proving
from libs.storage.engine import reading
from libs.storage.rows import stream_rows
from libs.storage.verification import _Verifier, verify
from services.ledger.storage import PROOFS, events
from tests.bench.accept import Suite
from tests.bench.facts import Charges
from tests.bench.scratch import Scratch
from tests.bench.turns import Goal, Measured, Result, Stopwatch, take_turns

EVENTS = next(chained for chained in PROOFS.chained if chained.table.name == "event")


@dataclass(frozen=True, slots=True)
class Size:
    """Events of a turn, and of a batch."""

    events: int = 5000
    batch: int = 1000


def run(scratch: Scratch, turns: int, size: Size | None = None) -> Result:
    """The whole workload on one database."""
    size = size or Size()
    result = Result(
        f"proofs-{scratch.kind}",
        f"Card charges into the ledger on {scratch.title}, {size.batch:,} a commit, with audit entries and proofs of "
        "values, and without either; then every event's row verified, and the same bytes hashed bare.",
    )
    suites = {"proved": Suite(scratch), "unproved": Suite(scratch)}
    charges = Charges()

    def accept(kind: str, turn: int) -> Measured:
        events_of_turn = charges.events(turn * size.events, size.events)
        batches = [events_of_turn[at : at + size.batch] for at in range(0, size.events, size.batch)]
        with Stopwatch() as watch:
            suites[kind].record(batches)
        return {"per_second": size.events / watch.seconds, "cpu_us": watch.cpu_seconds / size.events * 1e6}

    def unproved(turn: int) -> Measured:
        with _unproved():
            return accept("unproved", turn)

    steps = {"proved": lambda turn: accept("proved", turn), "unproved": unproved}
    result.turns = take_turns(turns, steps, scratch.folder)
    for turn in result.turns:
        turn["share"] = {"cpu": 1 - turn["unproved"]["cpu_us"] / turn["proved"]["cpu_us"]}
    result.each("the audit's share of our CPU", "", "share", "cpu", goal=Goal("≤ 0.2", at_most=0.2))
    verified = take_turns(turns, {"verified": lambda _: _verified(suites["proved"].engine),
                                  "bare": lambda _: _bare(suites["proved"].engine)}, scratch.folder)  # fmt: skip
    for turn, more in zip(result.turns, verified, strict=True):
        turn |= {"verified": more["verified"], "bare": more["bare"]}
    result.ratio("rows verified ÷ bare SHA-256", "verified", "bare", goal=Goal("≥ 0.3", at_least=0.3))
    result.each("rows verified", "/s", "verified", "per_second")
    with reading(suites["proved"].engine) as connection:
        assert verify(connection, PROOFS).faults == ()
    result.checks.append("every row is the one of its last audit entry")
    for suite in suites.values():
        suite.engine.dispose()
    return result


@contextmanager
def _unproved() -> Iterator[None]:
    """Nothing is audited and nothing proved."""
    with (
        patch.object(PendingEntries, "write", lambda *_, **__: None),
        patch.object(events, "proof_of", lambda value: ""),
    ):
        yield


def _verified(engine: Engine) -> Measured:
    """Rows, their last entries and their payloads, as the verification reads and hashes them."""
    with reading(engine) as connection, Stopwatch() as watch:
        statement = proving(EVENTS, EVENTS.version, connection.dialect.name)
        count, _ = _Verifier(connection, PROOFS)._rows_of(EVENTS, EVENTS.version, statement)
    return {"per_second": count / watch.seconds}


def _bare(engine: Engine) -> Measured:
    """The same bytes, read beforehand."""
    with reading(engine) as connection:
        rows = stream_rows(connection, proving(EVENTS, EVENTS.version, connection.dialect.name))
        hashed = [(text, (proof[:32] + value).encode()) for _, _, text, value, proof in rows]
    with Stopwatch() as watch:
        for text, value in hashed:
            sha256(text).hexdigest()
            sha256(value).hexdigest()
    return {"per_second": len(hashed) / watch.seconds}
