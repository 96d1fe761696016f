"""`concord odoo`: an administrator prepares an Odoo company for Concord, once, over Odoo's external API.

Passwords come from the environment (a variable for each login) or are asked for, so that none stays in a history.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from libs.odoo.address import BadAddress
from libs.odoo.connect import connect
from libs.odoo.plan import Plan, read_plan
from libs.odoo.port import Odoo
from libs.odoo.provision import Provisioner, ProvisionStep
from sandbox import chart

from .odoo_key import make_api_key

app = typer.Typer(help="Prepare an Odoo company for Concord.", no_args_is_help=True, add_completion=False)

Url = Annotated[str, typer.Option(envvar="CONCORD_ODOO_URL", help="Odoo's address, e.g. https://books.example.com.")]
Database = Annotated[str, typer.Option("--db", envvar="CONCORD_ODOO_DB", help="The database's name.")]
AdminPassword = Annotated[
    str,
    typer.Option(
        envvar="CONCORD_ODOO_ADMIN_PASSWORD", prompt=True, hide_input=True, help="Asked for where it is not set."
    ),
]
Password = Annotated[
    str,
    typer.Option(envvar="CONCORD_ODOO_PASSWORD", prompt=True, hide_input=True, help="Asked for where it is not set."),
]
PlanFile = Annotated[
    Path | None,
    typer.Option("--plan", exists=True, dir_okay=False, help="A plan; without one, the default plan."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("plan")
def show_plan(as_json: AsJson = False) -> None:
    """Print the default plan as YAML: save it, put the company's own codes in, give it to `setup --plan`."""
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(chart.PLAN)))
    else:
        typer.echo(chart.FILE.read_text("utf-8"), nl=False)


@app.command()
def setup(
    url: Url,
    database: Database,
    admin_password: AdminPassword,
    admin_user: Annotated[str, typer.Option(help="An administrator's login.")] = "admin",
    plan_file: PlanFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare and show; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the accounts, journals, taxes, partners, currencies and users that the company does not have yet.

    What exists under its code is adopted. A difference that would book money wrongly is reported, and then nothing is
    changed. May be repeated. The password of a user to be made is read from the environment: CONCORD_ODOO_PASSWORD_ and
    the login in capitals.
    """
    plan = read_plan(plan_file.read_text(encoding="utf-8")) if plan_file else chart.PLAN
    odoo = _signed_in(url, database, admin_user, admin_password)
    steps = Provisioner(odoo, plan, passwords_of(plan, os.environ)).run(dry=dry_run)
    typer.echo(as_objects(steps, dry_run) if as_json else as_text(steps, dry_run))


@app.command("api-key")
def api_key(
    url: Url,
    database: Database,
    user: Annotated[str, typer.Option(envvar="CONCORD_ODOO_USER", help="The login that the key is for.")],
    password: Password,
    name: Annotated[str, typer.Option(help="What Odoo shows the key as.")] = "Concord",
    days: Annotated[int, typer.Option(min=1, help="How long it lasts; the user's groups set the most.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make an API key (Odoo 19's JSON-2 needs one) and print it: it is shown this once only."""
    key = make_api_key(url, database, user, password, name, days)
    typer.echo(json.dumps({"user": user, "name": name, "days": days, "api_key": key}) if as_json else key)


def _signed_in(url: str, database: str, user: str, password: str) -> Odoo:
    try:
        return connect(url, database, user, password)
    except BadAddress as error:
        raise typer.BadParameter(str(error), param_hint="--url") from error


def passwords_of(plan: Plan, environment: Mapping[str, str]) -> dict[str, str]:
    """The passwords that the environment holds for the plan's users."""
    found = {user.login: environment.get(password_variable(user.login), "") for user in plan.users}
    return {login: password for login, password in found.items() if password}


def password_variable(login: str) -> str:
    """The environment variable of a login's password: letters and digits in capitals, anything else an underscore."""
    return "CONCORD_ODOO_PASSWORD_" + "".join(char.upper() if char.isalnum() else "_" for char in login)


def as_text(steps: list[ProvisionStep], dry_run: bool) -> str:
    """A line for each step that is not simply as it was, then a count."""
    shown = [step for step in steps if step.action != "KEPT" or (step.note and step.kind == "rate")]
    lines = [f"{step.action.lower():8}{step.kind:10}{step.key}  {step.note}".rstrip() for step in shown]
    counts = {name: sum(step.action == name for step in steps) for name in ("MADE", "CHANGED", "KEPT")}
    total = f"{counts['MADE']} made, {counts['CHANGED']} changed, {counts['KEPT']} as they were"
    return "\n".join([*lines, f"would be: {total}" if dry_run else total])


def as_objects(steps: list[ProvisionStep], dry_run: bool) -> str:
    """All steps as one JSON object."""
    return json.dumps({"dry_run": dry_run, "steps": [dataclasses.asdict(step) for step in steps]})
