"""A provider is in one place: its name stands in its folder, in the registry's line and in the demo, nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers import NAMES
from tests.architecture.source import PRODUCT, ROOT

PLACES = (*PRODUCT, "protos", "docker", "console")
READ = frozenset({".py", ".pyi", ".proto", ".sql", ".yaml", ".yml", ".js", ".html"})


def product_files() -> Iterator[Path]:
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*")):
            if path.suffix in READ and "/cli/demo/" not in path.as_posix():
                yield path


def named(name: str, path: str, text: str) -> list[str]:
    """Lines that name the provider where they may not."""
    if path.startswith(f"providers/{name}/"):
        return []
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if re.search(name, line, re.IGNORECASE)]
    if path == "providers/__init__.py":
        lines = [(number, line) for number, line in lines if line.strip() != f'"{name}",']
    found = [f"{path}:{number} names {name}: {line.strip()}" for number, line in lines]
    return found + ([f"{path} is called after {name}"] if name in path else [])


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_is_named_in_its_own_folder_alone(name: str) -> None:
    files = ((path.relative_to(ROOT).as_posix(), path.read_text()) for path in product_files())
    assert not [line for path, text in files for line in named(name, path, text)]


def test_a_provider_in_its_folder_is_registered() -> None:
    found = {path.parent.name for path in (ROOT / "providers").glob("*/__init__.py")}
    assert found == set(NAMES), "NAMES of providers/__init__.py and the folders in providers/ differ"


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_names_it_once(name: str) -> None:
    assert (ROOT / "providers" / "__init__.py").read_text().count(name) == 1


@pytest.mark.parametrize(
    "path, text, refused",
    [
        ("providers/acme/__init__.py", "# Acme's", False),
        ("providers/__init__.py", '    "acme",', False),
        ("providers/__init__.py", "# Acme is a shop", True),
        ("providers/base.py", "# for example `acme/1`", True),
        ("providers/other/__init__.py", "from providers.acme import x", True),
        ("services/gateway/config.py", 'KEYS = ("ACME_KEY",)', True),
        ("services/gateway/acme_api.py", "", True),
    ],
)
def test_the_rule_refuses_what_it_should(path: str, text: str, refused: bool) -> None:
    assert bool(named("acme", path, text)) is refused
