"""`concord audit`: computes the audit chains again from what the databases hold, so that a change after the fact shows.

It reads the databases themselves, not the services, which whoever changed a row might have changed too.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import SERVICES
from libs.errors import ConcordError, Kind
from libs.storage.audit import AuditLog, SealHead, Verification
from libs.storage.engine import database_url, open_engine, reading

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
    """What the log of one service shows; `faults` adds the witness's to the chains' own."""

    service: str
    verified: Verification
    head: SealHead
    faults: tuple[str, ...]

    def record(self) -> dict[str, object]:
        return {
            "service": self.service,
            "entries": self.verified.entries,
            "sealed": self.verified.sealed,
            "head": {"number": self.head.number, "hash": self.head.hash.hex()},
            "faults": list(self.faults),
        }

    def line(self) -> str:
        state = "intact" if not self.faults else "CHANGED"
        head = f"{self.head.number} {self.head.hash.hex()}"
        return f"{self.service}: {self.verified.entries} entries, {self.verified.sealed} sealed, {state}; head {head}"


@app.command()
def audit(
    services: Annotated[list[str] | None, typer.Argument(help="Of which services; by default all.")] = None,
    witness: Annotated[
        Path | None, typer.Option(help="What this command printed with --json before, kept in another place.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a service: the next witness.")] = False,
) -> None:
    """Verify the audit logs; exit status 2 if an entry was changed, removed or put in between.

    Entries cut off at the chain's end show only against a witness. The databases are those that the services use:
    CONCORD_DATABASE_URL, CONCORD_LEDGER_DATABASE_URL and so on, else the files in CONCORD_DATA_DIR.
    """
    heads = _heads(witness) if witness else {}
    broken = False
    for service in services or SERVICES:
        found = verify(service, os.environ, heads.get(service))
        typer.echo(json.dumps(found.record()) if as_json else found.line())
        if not as_json:
            for fault in found.faults:
                typer.echo(f"  {fault}")
        broken = broken or bool(found.faults)
    if broken:
        raise typer.Exit(TAMPERED)


def verify(service: str, env: Mapping[str, str], witness: SealHead | None = None) -> Found:
    """Walk one service's log, all at one moment. Raises `ServiceUnknown`, `DatabaseMissing` or a storage error."""
    if service not in SERVICES:
        raise ServiceUnknown(f"no service {service}; there are {', '.join(SERVICES)}")
    url = database_url(env, service)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise DatabaseMissing(f"{service} has no database here")
    tables = importlib.import_module(f"services.{service}.storage").TABLES
    engine = open_engine(url, service)
    try:
        with reading(engine) as connection:
            log = AuditLog(connection, tables)
            verified, head = log.verify(), log.head()
            faults = verified.faults
            if witness is not None and log.seal(witness.number) != witness.hash:
                faults = (*faults, f"seal {witness.number} is not the one that the witness saw")
            return Found(service, verified, head, faults)
    finally:
        engine.dispose()


def _heads(file: Path) -> dict[str, SealHead]:
    """Each service's head as it was seen before. Raises `WitnessInvalid`."""
    try:
        records = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        return {
            str(record["service"]): SealHead(int(record["head"]["number"]), bytes.fromhex(record["head"]["hash"]))
            for record in records
        }
    except (OSError, ValueError, KeyError, TypeError):
        raise WitnessInvalid("the witness can't be read: it is what `concord audit --json` printed") from None
