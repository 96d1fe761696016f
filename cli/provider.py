"""`concord provider`: which providers there are, and the skeleton of a new one. docs/providers.md says what follows."""

from __future__ import annotations

import hashlib
import hmac
import json
import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.suite import ROOT
from libs.errors import ConcordError, Kind
from providers import PROVIDERS
from providers.base import ComposesPayouts, Polls, ProviderRegistration, Secrets

app = typer.Typer(help="List the providers, or begin a new one.", no_args_is_help=True, add_completion=False)

TEMPLATE = Path(__file__).parent / "provider_template"
PRODUCT = ("services", "libs", "providers", "sandbox", "cli", "protos")
SECRET = "secret_of_the_tests_alone"  # noqa: S105 - it signs the golden payload
_NAME = re.compile(r"[a-z][a-z0-9_]{2,30}", re.ASCII)
PAYLOAD = {"id": "msg_1", "type": "order.paid", "replace": "this by a message as the provider sends it"}
EXPECTATION = {"events": [], "replace": "this by what payload.json must give"}

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


class ProviderNameInvalid(ConcordError):
    reason = "PROVIDER_NAME_INVALID"


class ProviderExists(ConcordError):
    kind = Kind.CONFLICT
    reason = "PROVIDER_EXISTS"


@app.command("list")
def list_providers(as_json: Json = False) -> None:
    """The registered providers and what each can do."""
    found = {name: _powers(registration) for name, registration in PROVIDERS.items()}
    if as_json:
        typer.echo(json.dumps({"providers": [{"name": name, "powers": powers} for name, powers in found.items()]}))
        return
    for name, powers in found.items():
        typer.echo(f"{name:20} {', '.join(powers)}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Lower case, as it stands in resource names.")], as_json: Json = False
) -> None:
    """Write a provider's skeleton, its line in the registry, and a golden folder that fails until it is filled."""
    check_name(name)
    made = [path.relative_to(ROOT).as_posix() for path in _written(name)]
    if as_json:
        typer.echo(json.dumps({"name": name, "files": made}))
        return
    for path in made:
        typer.echo(path)
    typer.echo(f"Next: docs/providers.md. Until tests/golden/{name} is filled, its tests fail:")
    typer.echo(f"    .venv/bin/python -m pytest -q tests/providers tests/architecture/test_providers.py -k {name}")


def check_name(name: str) -> None:
    """Raise `ProviderNameInvalid` or `ProviderExists` unless a new provider may be called so."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ProviderNameInvalid("a provider's name has 3 to 31 lower-case letters, digits and underscores")
    taken = [place / name for place in (ROOT / "providers", ROOT / "tests" / "golden")]
    if name in PROVIDERS or any(path.exists() or path.with_suffix(".py").exists() for path in taken):
        raise ProviderExists(f"{name} is there already")
    # The name of a provider stands nowhere but in its folder, so it may not be a word of the product's.
    for path in _product():
        if name in path.read_text().lower():
            raise ProviderNameInvalid(
                f"{name} is a word in {path.relative_to(ROOT)}: choose one that stands for itself"
            )


def _product() -> Iterator[Path]:
    for place in PRODUCT:
        for path in sorted((ROOT / place).rglob("*")):
            if path.suffix in (".py", ".proto", ".toml", ".yaml") and not path.is_relative_to(ROOT / "cli" / "demo"):
                yield path


def _written(name: str) -> Iterator[Path]:
    title = "".join(part.capitalize() for part in name.split("_"))
    for template in sorted(TEMPLATE.glob("*.txt")):
        text = template.read_text().replace("NAME", name).replace("Name", title)
        yield _write(ROOT / "providers" / name / template.stem, text)
    body = json.dumps(PAYLOAD, indent=2) + "\n"
    signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    golden = ROOT / "tests" / "golden" / name
    yield _write(golden / "payload.json", body)
    yield _write(golden / "payload.events.json", json.dumps(EXPECTATION, indent=2) + "\n")
    yield _write(
        golden / "golden.yaml",
        f"account: account_1\nsigned:\n  payload: payload.json\n  secret: {SECRET}\n  at: 2026-11-22T12:00:00Z\n"
        f"  headers:\n    x-{title.lower()}-signature: {signature}\n",
    )
    registry = ROOT / "providers" / "__init__.py"
    before, names, after = re.split(
        r"(?<=NAMES = \(\n)(.*?)(?=^\))", registry.read_text(), flags=re.DOTALL | re.MULTILINE
    )
    lines = sorted([*names.splitlines(keepends=True), f'    "{name}",\n'])
    registry.write_text(before + "".join(lines) + after)
    yield registry


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _powers(registration: ProviderRegistration) -> list[str]:
    provider = registration.new(Secrets(()))
    found = {
        "webhooks": True,
        "polling": isinstance(provider, Polls),
        "payouts": isinstance(provider, ComposesPayouts),
        "reports": bool(registration.reports),
    }
    return [power for power, has in found.items() if has]
