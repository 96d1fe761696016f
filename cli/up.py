"""`concord up`: all four services on this machine, supervised, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import Connection, data_folder
from cli.demo.company import provide_company
from cli.suite import Suite, until_asked_to_stop

app = typer.Typer(add_completion=False)
WATCH_SECONDS = 0.2


@app.command()
def up(
    data: Annotated[
        Path | None, typer.Option(help="Where everything is kept; default CONCORD_DATA_DIR or ./data.")
    ] = None,
    sources: Annotated[Path | None, typer.Option(help="The gateway's sources file (YAML).")] = None,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Let the system choose the ports.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object when everything answers.")] = False,
) -> None:
    """Start the four services. Without CONCORD_ODOO_URL a sandbox stands in for Odoo, with a company to try."""
    folder = (data or data_folder()).resolve()
    suite = Suite(folder, os.environ, free_ports=free_ports, sources=sources.resolve() if sources else None)
    try:
        with until_asked_to_stop():
            suite.start(lambda name: None if as_json else typer.echo(f"starting {name} …"))
            if suite.uses_sandbox:
                provide_company(Connection({**os.environ, "CONCORD_DATA_DIR": str(folder)}))
            _tell(suite, as_json)
            while True:
                suite.watch(lambda words: typer.echo(f"concord: {words}", err=True))
                time.sleep(WATCH_SECONDS)
    finally:
        suite.stop()


def _tell(suite: Suite, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"ready": True, "ports": suite.ports, "data": str(suite.folder)}))
        return
    for name, port in suite.ports.items():
        if name != "sandbox" or suite.uses_sandbox:
            typer.echo(f"{name:11} 127.0.0.1:{port}")
    if suite.uses_sandbox:
        typer.echo("Odoo is the sandbox: a stand-in for evaluation. The company is `companies/acme`.")
    typer.echo(f"data and logs: {suite.folder}. Ctrl-C stops all.")
