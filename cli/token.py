"""`concord token`: a bearer token for a person or a system, signed with the installation's key."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.connection import Connection
from libs.access import NOTHING, AccessScope
from libs.errors import ConcordError
from libs.rpc.identity import issue_token
from libs.rpc.permissions import ROLES

app = typer.Typer(add_completion=False)


class RoleUnknown(ConcordError):
    reason = "ROLE_UNKNOWN"


@app.command()
def token(
    roles: Annotated[list[str], typer.Option("--role", help="May be given several times.")],
    subject: Annotated[str, typer.Option(help="Who will call: stands in the audit log.")],
    companies: Annotated[
        list[str] | None,
        typer.Option("--company", help="Whose books: an id, * for all; several times."),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", help="provider/account, provider/*, * for all; several times."),
    ] = None,
    hours: Annotated[float, typer.Option(help="How long it is good for.", min=0.01, max=24 * 366)] = 8.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Print a token. Send it as `authorization: Bearer TOKEN`. Whoever holds it can act until it expires.

    It reads and writes what belongs to the companies and sources that are named, and nothing else.
    """
    unknown = sorted(set(roles) - ROLES.keys())
    if unknown:
        raise RoleUnknown(f"no role {', '.join(unknown)}; there are {', '.join(sorted(ROLES))}")
    scope = AccessScope.of(companies or (), sources or ())
    if scope == NOTHING:
        typer.echo("this token reaches nothing: name companies with --company, and sources with --source", err=True)
    text = issue_token(Connection().keys(), subject, roles, scope, lifetime_seconds=int(hours * 3600))
    named = {"companies": sorted(scope.companies), "sources": sorted(scope.sources)}
    typer.echo(json.dumps({"token": text, "subject": subject, "roles": sorted(roles), **named}) if as_json else text)
