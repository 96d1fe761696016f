"""The table of commands. A command's module is imported only when it is asked for, so that each starts quickly.

A module offers `app`, a typer.Typer: with several commands it becomes a group (`concord inspect statement`), with one
it is that command itself (`concord health`).
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from libs.errors import ConcordError

COMMANDS = {
    "up": "cli.up",
    "demo": "cli.demo.command",
    "trace": "cli.trace",
    "token": "cli.token",
    "inspect": "cli.inspect",
    "health": "cli.health",
    "audit": "cli.audit",
    "deliveries": "cli.deliveries",
    "exceptions": "cli.exceptions",
    "masterdata": "cli.masterdata",
    "odoo": "cli.odoo_setup",
    "provider": "cli.provider",
}

FAILED = 1


class LazyGroup(TyperGroup):
    """A group whose commands are the table's."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, imported now; none if there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        command = typer.main.get_command(importlib.import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def concord() -> None:
    """Keep a company's books in accord with the systems that make its money move."""


def main() -> None:
    """Run the command line. An error that the user can act on is one line and status 1, not a traceback."""
    try:
        app(prog_name="concord")
    except ConcordError as error:
        if "--json" in sys.argv:
            typer.echo(json.dumps({"error": {"reason": error.reason, "message": str(error)}}))
        else:
            typer.echo(f"concord: {error} ({error.reason})", err=True)
        sys.exit(FAILED)
