"""Measures the house: lines, functions, constructors, ports, repeated class names and import circles.

    .venv/bin/python scripts/sizes.py [TREE-ISH] [--json]      # a commit, or the working tree
    .venv/bin/python scripts/sizes.py --against TREE-ISH       # both, side by side

Product is `libs services sandbox providers cli protos`; generated stubs and tables, and migrations, are left out.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import statistics
import subprocess
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("libs", "services", "sandbox", "providers", "cli")
# What did not stand before the rooms were rebuilt: counted apart, so that new work does not hide what was taken away.
NEW = ("providers/dummy/", "cli/exceptions.py", "cli/provider.py", "cli/provider_template/")
MOST_ARGUMENTS = 7
HERE = "working tree"


def main() -> int:
    """The process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", nargs="?", default="", help="a commit; the working tree where none is named")
    parser.add_argument("--against", default="", help="a second commit, shown first")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    trees = [tree for tree in (given.against, given.tree or HERE) if tree]
    measured = {tree: measure(dict(working_tree() if tree == HERE else _committed(tree))) for tree in trees}
    if given.json:
        print(json.dumps(measured, indent=2))
        return 0
    for name in measured[trees[-1]]:
        print(f"{name:<42}", *(f"{_text(measured[tree].get(name)):>28}" for tree in trees))
    return 0


def measure(files: dict[str, str]) -> dict[str, object]:
    """The figures of a tree, by name. `files` has the text of each Python file by its path."""
    product = {path: text for path, text in files.items() if _is_product(path)}
    stood = {path: text for path, text in product.items() if not path.startswith(NEW)}
    tests = {path: text for path, text in files.items() if path.startswith("tests/")}
    trees = {path: ast.parse(text) for path, text in product.items()}
    classes = _repeated_classes(trees)
    return {
        "product files": len(stood),
        "product lines": _lines(stood),
        "new product lines": _lines(product) - _lines(stood),
        "test lines": _lines(tests),
        "lines a file (median, 90 %, most)": _spread([len(text.splitlines()) for text in product.values()]),
        "lines a function (median, 90 %, most)": _spread(
            [node.end_lineno - node.lineno + 1 for node in _functions(trees) if node.end_lineno]
        ),
        "lines of each main.py": {
            path: len(text.splitlines()) for path, text in product.items() if path.endswith("/main.py")
        },
        "ports files over 150 lines": [
            path for path, text in product.items() if path.endswith("ports.py") and len(text.splitlines()) > 150
        ],
        "constructors over 7 arguments": _wide_constructors(trees),
        "class names in more than one file": len(classes),
        "repeated class names": classes,
        "import circles": _circles(trees),
        "libs that import upward": _upward(trees),
    }


def working_tree() -> Iterator[tuple[str, str]]:
    """Path and text of each Python file that stands here, committed or not."""
    for folder in (*PRODUCT, "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def _committed(tree: str) -> Iterator[tuple[str, str]]:
    packed = subprocess.run(["git", "archive", "--format=tar", tree], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".py") else None
            if content is not None:
                yield member.name, content.read().decode()


def _is_product(path: str) -> bool:
    whole = PurePosixPath(path)
    generated = path.startswith("libs/stubs/") or whole.match("services/*/storage/tables.py")
    return whole.parts[0] in PRODUCT and "migrations" not in whole.parts and not generated


def _lines(files: dict[str, str]) -> int:
    return sum(len(text.splitlines()) for text in files.values())


def _spread(values: list[int]) -> str:
    ordered = sorted(values)
    return f"{statistics.median(ordered):.0f} / {ordered[len(ordered) * 9 // 10]} / {ordered[-1]}"


def _functions(trees: dict[str, ast.Module]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def _wide_constructors(trees: dict[str, ast.Module]) -> list[str]:
    """`__init__` of more than seven arguments besides self, outside the modules that put a service together."""
    found = []
    for path, tree in trees.items():
        if path.endswith("/assembly.py"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                        given = inner.args
                        count = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs) - 1
                        if count > MOST_ARGUMENTS:
                            found.append(f"{path}:{node.name} {count}")
    return found


def _repeated_classes(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path)
    return {name: paths for name, paths in sorted(places.items()) if len(set(paths)) > 1}


def _imports(path: str, tree: ast.Module) -> Iterator[str]:
    """Modules that are imported when the file is: not those of a function or of a type check."""
    package = PurePosixPath(path).parts[:-1]
    for node in _outermost(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _outermost(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, ast.Try):
            yield from node.body
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            yield node


def _circles(trees: dict[str, ast.Module]) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others (Tarjan's components of two and more)."""
    names = {_module(path): path for path in trees}
    graph = {
        name: {found for found in _imports(path, trees[path]) if found in names and found != name}
        for name, path in names.items()
    }
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    circles: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                circles.append(sorted(group))

    sys.setrecursionlimit(10_000)
    for name in graph:
        if name not in index:
            visit(name)
    return circles


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _upward(trees: dict[str, ast.Module]) -> list[str]:
    upper = ("services", "cli", "sandbox", "providers", "console", "tests")
    return [
        f"{path} → {name}"
        for path, tree in trees.items()
        if path.startswith("libs/")
        for name in dict.fromkeys(_imports(path, tree))
        if name.split(".")[0] in upper
    ]


def _text(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{PurePosixPath(str(key)).parent.name or key}={_text(found)}" for key, found in value.items())
    if isinstance(value, list):
        return "; ".join(map(_text, value)) or "none"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
