"""`concord audit`: computes again what the databases prove of themselves, so that a change after the fact shows.

It reads the databases themselves, not the services, which whoever changed a row might have changed too.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import SERVICES
from libs.errors import ConcordError, Kind
from libs.storage.audit import SealHead
from libs.storage.encoding import GENESIS
from libs.storage.engine import database_url, open_engine, reading
from libs.storage.verification import Verification, Witness, heads_of
from libs.storage.verification import verify as verify_all

app = typer.Typer(add_completion=False)

TAMPERED = 2


class ServiceUnknown(ConcordError):
    reason = "SERVICE_UNKNOWN"


class DatabaseMissing(ConcordError):
    """There is no such file; to open it would make one."""

    kind = Kind.MISSING
    reason = "DATABASE_MISSING"


class WitnessInvalid(ConcordError):
    """The file is not what this command printed with `--json`."""

    reason = "WITNESS_INVALID"


@dataclass(frozen=True, slots=True)
class Found:
    """What the database of one service shows."""

    service: str
    verified: Verification
    heads: Witness

    @property
    def faults(self) -> tuple[str, ...]:
        return self.verified.faults

    def record(self) -> dict[str, object]:
        return {
            "service": self.service,
            "entries": self.verified.entries,
            "sealed": self.verified.sealed,
            "rows": self.verified.rows,
            "head": _record(self.heads.entries),
            "messages": _record(self.heads.messages),
            "faults": list(self.faults),
        }

    def line(self) -> str:
        state = "intact" if not self.faults else "CHANGED"
        head = f"{self.heads.entries.number} {self.heads.entries.hash.hex()}"
        counted = f"{self.verified.rows} rows, {self.verified.entries} entries, {self.verified.sealed} sealed"
        return f"{self.service}: {counted}, {state}; head {head}"


@app.command()
def audit(
    services: Annotated[list[str] | None, typer.Argument(help="Of which services; by default all.")] = None,
    witness: Annotated[
        Path | None,
        typer.Option(help="What this command printed with --json before, once or often, kept in another place."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a service: the next witness.")] = False,
) -> None:
    """Verify the books' rows and their audit logs; exit status 2 if anything was changed, removed or put in between.

    Each fault names its row. What somebody changed who made every hash after it anew, and what was cut off at the
    chain's end, shows only against a witness. The databases are those that the services use:
    CONCORD_DATABASE_URL, CONCORD_LEDGER_DATABASE_URL and so on, else the files in CONCORD_DATA_DIR.
    """
    kept = _witnesses(witness) if witness else {}
    broken = False
    for service in services or SERVICES:
        found = verify(service, os.environ, kept.get(service, ()))
        typer.echo(json.dumps(found.record()) if as_json else found.line())
        if not as_json:
            for fault in found.faults:
                typer.echo(f"  {fault}")
        broken = broken or bool(found.faults)
    if broken:
        raise typer.Exit(TAMPERED)


def verify(service: str, env: Mapping[str, str], witnesses: Sequence[Witness] = ()) -> Found:
    """Verify one service's database, all of it at one moment.

    Raises `ServiceUnknown`, `DatabaseMissing` or a storage error.
    """
    if service not in SERVICES:
        raise ServiceUnknown(f"no service {service}; there are {', '.join(SERVICES)}")
    url = database_url(env, service)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise DatabaseMissing(f"{service} has no database here")
    proofs = importlib.import_module(f"services.{service}.storage").PROOFS
    engine = open_engine(url, service)
    try:
        with reading(engine) as connection:
            return Found(service, verify_all(connection, proofs, witnesses), heads_of(connection, proofs))
    finally:
        engine.dispose()


def _record(head: SealHead) -> dict[str, object]:
    return {"number": head.number, "hash": head.hash.hex()}


def _witnesses(file: Path) -> dict[str, list[Witness]]:
    """Each service's heads as they were seen before. Raises `WitnessInvalid`."""
    start = _record(SealHead(0, GENESIS))  # of messages, for a witness from before they were chained
    kept: dict[str, list[Witness]] = {}
    try:
        for record in map(json.loads, filter(str.strip, file.read_text().splitlines())):
            witness = Witness(_head(record["head"]), _head(record.get("messages", start)))
            kept.setdefault(str(record["service"]), []).append(witness)
    except (OSError, ValueError, KeyError, TypeError):
        raise WitnessInvalid("the witness can't be read: it is what `concord audit --json` printed") from None
    return kept


def _head(record: Mapping[str, str]) -> SealHead:
    return SealHead(int(record["number"]), bytes.fromhex(record["hash"]))
