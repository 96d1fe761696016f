"""`concord masterdata`: read the masters from Odoo, and propose, review and approve a company's mapping file."""

from __future__ import annotations

import hashlib
import json
import uuid
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from concord.masterdata.v1 import mapping_pb2, masterdata_pb2, masterdata_pb2_grpc, records_pb2

from cli.connection import As, listed, service, word
from libs.errors import ConcordError, Kind

app = typer.Typer(
    help="Masters from Odoo, and the mapping that gives sources' words their meaning.",
    no_args_is_help=True,
    add_completion=False,
)

SYNC_TIMEOUT_SECONDS = 600.0
FAILED = 1

Company = Annotated[str, typer.Argument(help="The company's id, for example acme.", show_default=False)]
Revision = Annotated[int, typer.Argument(help="The mapping set's number, as `propose` prints it.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON object.")]

_masterdata = partial(service, "masterdata", masterdata_pb2_grpc.MasterdataServiceStub)


class FileMissing(ConcordError):
    """The file that was named can't be read."""

    kind = Kind.INVALID
    reason = "FILE_UNREADABLE"


class NothingSigned(ConcordError):
    """An approval must name what it approves."""

    kind = Kind.INVALID
    reason = "DIGEST_REQUIRED"


@app.command()
def sync(company: Company, subject: As = "", as_json: Json = False) -> None:
    """Read accounts, journals, taxes, currencies, rates, partners and products from Odoo.

    Exit status 1 if Odoo could not be read; what was known before stays.
    """
    request = masterdata_pb2.SyncMasterDataRequest(parent=f"companies/{company}", request_id=str(uuid.uuid4()))
    with _masterdata("operator", subject) as stub:
        run: records_pb2.SyncRun = stub.SyncMasterData(request, timeout=SYNC_TIMEOUT_SECONDS)
    done = run.state == records_pb2.SyncRun.STATE_DONE
    if as_json:
        typer.echo(json.dumps(_sync_run(run)))
    elif done:
        counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(run.records.items()))
        typer.echo(f"read {counts}")
        typer.echo(f"{run.changed} changed; revision {run.revision}")
    else:
        typer.echo(f"concord: Odoo could not be read ({run.reason})", err=True)
    if not done:
        raise typer.Exit(FAILED)


@app.command()
def propose(
    company: Company,
    file: Annotated[Path, typer.Argument(help="The mapping file; docs/mapping.md describes it.", show_default=False)],
    subject: As = "",
    as_json: Json = False,
) -> None:
    """Offer a mapping file. It has no effect until another person approves it."""
    request = masterdata_pb2.ProposeMappingSetRequest(
        parent=f"companies/{company}", yaml=_text(file), request_id=str(uuid.uuid4())
    )
    with _masterdata("accountant", subject) as stub:
        offered: mapping_pb2.MappingSet = stub.ProposeMappingSet(request)
    if as_json:
        typer.echo(json.dumps(_mapping_set(offered)))
        return
    _print_mapping_set(offered)
    number = offered.name.rpartition("/")[2]
    typer.echo(f"next, by another person: concord masterdata approve {company} {number} --file {file}")


@app.command()
def approve(
    company: Company,
    revision: Revision,
    file: Annotated[Path | None, typer.Option(help="The file that you reviewed: you sign its digest.")] = None,
    digest: Annotated[str, typer.Option(help="Or the digest itself, in hexadecimal.")] = "",
    subject: As = "",
    as_json: Json = False,
) -> None:
    """Approve exactly what you reviewed; it becomes active at once. Whoever proposed it can't."""
    if bool(file) == bool(digest):
        raise NothingSigned("give either --file, the file that you reviewed, or --digest")
    signed = hashlib.sha256(_text(file).encode()).hexdigest() if file else digest
    request = masterdata_pb2.ApproveMappingSetRequest(
        name=f"companies/{company}/mappingSets/{revision}", content_digest=signed, request_id=str(uuid.uuid4())
    )
    with _masterdata("approver", subject) as stub:
        active: mapping_pb2.MappingSet = stub.ApproveMappingSet(request)
    if as_json:
        typer.echo(json.dumps(_mapping_set(active)))
    else:
        _print_mapping_set(active)


@app.command()
def show(
    company: Company,
    mapping: Annotated[int, typer.Option(help="Print this mapping set's file and findings.")] = 0,
    subject: As = "",
    as_json: Json = False,
) -> None:
    """Show the company, its revision and its mapping sets; or one mapping set whole."""
    parent = f"companies/{company}"
    with _masterdata("auditor", subject) as stub:
        if mapping:
            request = masterdata_pb2.GetMappingSetRequest(name=f"{parent}/mappingSets/{mapping}")
            found: mapping_pb2.MappingSet = stub.GetMappingSet(request)
            _show_mapping_set(found, as_json=as_json)
            return
        entity: records_pb2.LegalEntity = stub.GetLegalEntity(masterdata_pb2.GetLegalEntityRequest(name=parent))
        revision = stub.GetRevision(masterdata_pb2.GetRevisionRequest(name=parent)).revision
        asked = masterdata_pb2.ListMappingSetsRequest(parent=parent)
        sets = list(listed(stub.ListMappingSets, asked, "mapping_sets"))
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "company": company,
                    "display_name": entity.display_name,
                    "currency": entity.currency_code,
                    "time_zone": entity.time_zone,
                    "odoo_id": entity.odoo_id,
                    "revision": revision,
                    "mapping_sets": [_mapping_set(mapping_set) for mapping_set in sets],
                }
            )
        )
        return
    zone = entity.time_zone or "no time zone yet: no mapping is active"
    typer.echo(f"{company}: {entity.display_name}, {entity.currency_code}, {zone}")
    typer.echo(f"Odoo company {entity.odoo_id}, revision {revision}")
    for mapping_set in sets:
        by = f", approved by {mapping_set.approved_by}" if mapping_set.approved_by else ""
        typer.echo(
            f"  mapping set {mapping_set.name.rpartition('/')[2]}: {_state(mapping_set)}, "
            f"proposed by {mapping_set.proposed_by}{by}"
        )


def _show_mapping_set(found: mapping_pb2.MappingSet, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**_mapping_set(found), "yaml": found.yaml}))
    else:
        typer.echo(found.yaml, nl=not found.yaml.endswith("\n"))
        _print_mapping_set(found, err=True)  # so that the file alone can be redirected


def _text(file: Path | None) -> str:
    assert file is not None
    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise FileMissing(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FileMissing(f"{file} is not UTF-8") from None


def _print_mapping_set(mapping_set: mapping_pb2.MappingSet, *, err: bool = False) -> None:
    typer.echo(f"{mapping_set.name}: {_state(mapping_set)}", err=err)
    typer.echo(f"digest {mapping_set.content_digest}", err=err)
    for finding in mapping_set.findings:
        typer.echo(f"  {_finding(finding)}", err=err)


def _finding(finding: mapping_pb2.MappingFinding) -> str:
    severity = word(mapping_pb2.MappingFinding.Severity, finding.severity)
    return f"{severity} {finding.reason}, line {finding.line}: {finding.message}"


def _state(mapping_set: mapping_pb2.MappingSet) -> str:
    return word(mapping_pb2.MappingSet.State, mapping_set.state)


def _mapping_set(mapping_set: mapping_pb2.MappingSet) -> dict[str, object]:
    return {
        "name": mapping_set.name,
        "state": _state(mapping_set),
        "content_digest": mapping_set.content_digest,
        "proposed_by": mapping_set.proposed_by,
        "approved_by": mapping_set.approved_by or None,
        "findings": [_finding(finding) for finding in mapping_set.findings],
    }


def _sync_run(run: records_pb2.SyncRun) -> dict[str, object]:
    return {
        "name": run.name,
        "state": word(records_pb2.SyncRun.State, run.state),
        "records": dict(run.records),
        "changed": run.changed,
        "revision": run.revision,
        "reason": run.reason or None,
    }
