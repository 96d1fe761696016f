"""The same request for each of several names: one that is refused holds up no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import typer

from libs.errors import ConcordError, Kind

FAILED = 1
NOT_HEARD = (Kind.RETRY, Kind.UNAUTHENTICATED, Kind.FORBIDDEN)  # what one name met, all others will


def one_by_one(names: Iterable[str], ask: Callable[[str], str], as_json: bool) -> None:
    """Print what `ask` answers for each name once, or why it is refused; exit status 1 if one was."""
    failed = False
    for name in dict.fromkeys(names):
        try:
            typer.echo(ask(name))
        except ConcordError as error:
            if error.kind in NOT_HEARD:
                raise
            failed = True
            if as_json:
                typer.echo(json.dumps({"name": name, "error": {"reason": error.reason, "message": str(error)}}))
            else:
                typer.echo(f"concord: {name}: {error} ({error.reason})", err=True)
    if failed:
        raise typer.Exit(FAILED)
