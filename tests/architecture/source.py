"""Python files as the rules see them: where they stand, what they import, their syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("services", "libs", "providers", "sandbox", "cli")
EVERYTHING = (*PRODUCT, "tests", "scripts", "docker")


@dataclass(frozen=True, slots=True)
class Module:
    """One file. `name` is its import path, `services.ledger.domain.entry`."""

    path: str
    name: str
    text: str
    tree: ast.Module

    @classmethod
    def parse(cls, path: str, text: str) -> Module:
        """The module that this text would be at that path, relative to the repository."""
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return cls(path, name, text, ast.parse(text, filename=path))

    def __str__(self) -> str:
        return self.path

    @property
    def service(self) -> str | None:
        """`ledger` of `services.ledger.domain.entry`; none outside the services."""
        parts = self.name.split(".")
        return parts[1] if parts[0] == "services" and len(parts) > 1 else None

    @property
    def layer(self) -> str | None:
        """`domain` of `services.ledger.domain.entry`, `main` of `services.ledger.main`; `providers` of all of those."""
        parts = self.name.split(".")
        if parts[0] == "providers":
            return "providers"
        return parts[2] if parts[0] == "services" and len(parts) > 2 else None

    @property
    def package(self) -> str:
        """What the first dot of a relative import stands for."""
        return self.name if self.path.endswith("/__init__.py") else self.name.rpartition(".")[0]

    @property
    def imports(self) -> list[str]:
        """Full names of all that is imported anywhere in the file: `libs.money.Money`, `json`."""
        return [name for node in ast.walk(self.tree) for name in self._imported(node)]

    def _imported(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = self.package.split(".")
                parents = parents[: len(parents) - (node.level - 1)]
                base = ".".join([*parents, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def modules(*roots: str) -> tuple[Module, ...]:
    """Every module below the roots that is ours to write: not the generated stubs."""
    return tuple(
        Module.parse(path.relative_to(ROOT).as_posix(), path.read_text())
        for root in roots
        for path in sorted((ROOT / root).rglob("*.py"))
        if not path.is_relative_to(ROOT / "libs" / "stubs")
    )


def within(name: str, allowed: frozenset[str]) -> bool:
    """Whether the name is one of those allowed, or inside one."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)
