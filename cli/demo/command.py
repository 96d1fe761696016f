"""`concord demo`: a shop's day through all four services, from empty data, with an Odoo that fails in the middle."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from cli.connection import Connection
from cli.suite import LOCKS, ROOT, FolderUnusable, Suite, locked
from libs.errors import ConcordError, Kind
from libs.odoo.connect import connect
from libs.odoo.port import Odoo
from providers.fake_server import FakeServer
from providers.stripe.fake_api import FakeStripe
from sandbox.chart import PLAN

from .company import provide_company
from .day import ACCOUNT, BANK_ACCOUNT, SHOP, Day
from .expected import trial_balance
from .findings import Findings, gather, posted_balances
from .inputs import write_inputs
from .play import Sent, await_quiet, be_well, play
from .report import as_json as report_as_json
from .report import print_report

app = typer.Typer(add_completion=False)
FAILED = 1
LEFT_BY_A_DEMO = ("inputs", "sources.yaml")
WIDTH = 150  # where no terminal says how wide it is
STRIPE_KEY = "rk_live_of_the_fake_alone"  # no secret: only the stand-in on this machine knows it
# The demo's company is the sandbox's, so nothing of the caller's environment may lead it elsewhere.
_NOT_OURS = ("CONCORD_ODOO_", "CONCORD_MASTERDATA_", "CONCORD_DATABASE_URL", "CONCORD_TOKEN", "CONCORD_DATA_DIR")


class FolderNotOurs(ConcordError):
    """The folder that is to be emptied holds what no demo left there."""

    kind = Kind.PRECONDITION
    reason = "FOLDER_NOT_A_DEMOS"


@app.command()
def demo(
    data: Annotated[
        Path, typer.Option(help="An earlier demo's, which is emptied, or a new one; it keeps the day.")
    ] = Path("data/demo"),
    reference_only: Annotated[bool, typer.Option("--reference-only", help="Only the reference day A, B, C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Play a shop's day. Exit status 1 if the books, the completeness or an answer are not what they must be."""
    began = time.monotonic()
    console = Console(stderr=as_json)
    if not console.is_terminal:
        console.width = WIDTH
    folder = data.resolve()
    empty(folder)
    with played_day(folder, _environment(), console.print, reference_only=reference_only) as played:
        findings, balance = played.findings, played.provider_balance
    if as_json:
        typer.echo(json.dumps(report_as_json(findings, balance)))
    else:
        print_report(console, findings, balance)
        _say_what_next(console, findings, folder, time.monotonic() - began)
    if not _holds(console, played):
        raise typer.Exit(FAILED)


def empty(folder: Path) -> None:
    """Take away what an earlier demo left there. Raises `FolderNotOurs`, `FolderInUse` or `FolderUnusable`."""
    try:
        left = [path for path in folder.iterdir() if path.name not in LOCKS] if folder.exists() else []
        if left and not all((folder / name).exists() for name in LEFT_BY_A_DEMO):
            raise FolderNotOurs(f"{folder} holds other things than a demo's: name an empty or a new folder")
        with locked(folder):
            for path in left:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
    except OSError as error:
        raise FolderUnusable(f"cannot empty {folder}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Played:
    """A day that has been played; inside `played_day` its suite still runs."""

    day: Day
    suite: Suite
    connection: Connection
    sent: Sent
    findings: Findings

    @property
    def provider_balance(self) -> Decimal:
        return Decimal(self.day.stripe.balance()) / 100


@contextmanager
def played_day(
    folder: Path, environment: Mapping[str, str], say: Callable[[str], None], *, reference_only: bool = False
) -> Iterator[Played]:
    """Start a suite in an empty folder, play the day, wait until all is done and look. Stops the suite at the end."""
    day = Day(secrets.token_hex(32).encode(), secrets.token_hex(32).encode(), reference_only)
    write_inputs(day, folder / "inputs")
    stripe = FakeServer(FakeStripe({STRIPE_KEY: day.stripe}).answer)
    suite = _suite(folder, environment, day, stripe.url)
    try:
        if suite.uses_sandbox:
            say("Odoo is the sandbox: a stand-in for evaluation that follows the recorded rules of Odoo 18.")
        suite.start(lambda name: say(f"[dim]starting {name} …[/dim]"))
        connection = Connection({**environment, "CONCORD_DATA_DIR": str(folder)})
        provide_company(connection)
        odoo = _odoo(suite)
        before = posted_balances(odoo)
        sandbox = f"http://127.0.0.1:{suite.ports['sandbox']}" if suite.uses_sandbox else None
        sent = play(day, connection, sandbox, lambda words: say(f"  {words}"))
        await_quiet(connection, lambda words: say(f"[dim]  {words}[/dim]"))
        if sandbox:
            be_well(sandbox)
        rates = {rate.currency: Decimal(rate.value) for rate in PLAN.rates}
        findings = gather(connection, odoo, trial_balance(folder / "inputs", rates), before)
        yield Played(day, suite, connection, sent, findings)
    finally:
        suite.stop()
        stripe.close()


def _odoo(suite: Suite) -> Odoo:
    """The books that the suite posts to, by its own user."""
    env = suite.environment()
    return connect(
        env["CONCORD_ODOO_URL"],
        env["CONCORD_ODOO_DB"],
        env["CONCORD_ODOO_USER"],
        env.get("CONCORD_ODOO_PASSWORD"),
        env.get("CONCORD_ODOO_API_KEY"),
    )


def _suite(folder: Path, environment: Mapping[str, str], day: Day, stripe_url: str) -> Suite:
    """Sources for the day's partners, and a suite on ports of its own."""
    sources = {
        "sources": [
            {"provider": "shopify", "account": SHOP, "company": "acme",
             "signing_secrets": [{"value": day.shopify_secret.decode()}]},
            {"provider": "stripe", "account": ACCOUNT, "company": "acme",
             "signing_secrets": [{"value": day.stripe_secret.decode()}],
             "api": {"key": {"value": STRIPE_KEY}, "base_url": stripe_url}, "poll": {"interval_seconds": 2}},
            {"provider": "bank", "account": BANK_ACCOUNT, "company": "acme"},
        ]
    }  # fmt: skip
    file = folder / "sources.yaml"
    file.write_text(yaml.safe_dump(sources))
    file.chmod(0o600)
    environment = {"CONCORD_RECON_EVIDENCE_WAIT_SECONDS": "2", **environment}  # an hour in real life
    return Suite(folder, environment, free_ports=True, sources=file, sandbox_faults=True)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}


def _say_what_next(console: Console, findings: Findings, folder: Path, seconds: float) -> None:
    shown = min((posting.transaction_id for posting in findings.postings), default="")
    here = Path.cwd()
    kept = shlex.quote(str(folder.relative_to(here) if folder.is_relative_to(here) else folder))
    command = ROOT / ".venv" / "bin" / "concord"
    concord = shlex.quote(str(command.relative_to(here) if command.is_relative_to(here) else command))
    console.print(
        f"\nDone in {seconds:.0f} s. The day is kept in {kept}; look at it further:\n"
        f"  {concord} up --data {kept} --free-ports\n"
        f"  CONCORD_DATA_DIR={kept} {concord} trace {shown}    (in another shell)\n"
        f"  {concord} inspect statement {kept}/inputs/bank/statement.xml --summary\n"
        "Then README.md: the ten-minute tutorial",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def _holds(console: Console, played: Played) -> bool:
    """Name everything that is not as it must be."""
    findings, balance = played.findings, played.provider_balance
    wrong = list(played.sent.surprises)
    wrong += [] if findings.books_agree else ["the trial balance is not what the partners' files say"]
    wrong += [] if findings.is_complete else ["the ledger does not account for all that was handed on"]
    wrong += [
        f"{control.account} is not: {control.other}" for control in findings.controls(balance) if not control.holds
    ]
    for words in wrong:
        console.print(f"[red]NOT AS IT MUST BE: {words}[/red]")
    return not wrong
