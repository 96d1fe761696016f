"""Rules on the shape of code: sizes, and what a place may not do. Each returns one line a violation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Module

MODULE_LINES = 400
# One world holds every process of the simulation and the faults between them; its parts mean nothing alone.
LONGER = {"tests/simulation/world.py": 600}
FUNCTION_LINES = 70
VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
MONEY_WORDS = re.compile(
    r"(^|_)(amount|balance|price|fee|total|gross|net|debit|credit|minor_units|payable|residual|rate)s?($|_)"
)
# What a float may measure in a domain: never money, a quantity or a rate.
MEASURES = ("_seconds", "_ratio", "_share")
# Where a test may say SQL: the tests of our storage, those that corrupt what is stored, and what is not our storage.
SAYS_SQL = (
    "tests/storage/",
    "tests/bench/",  # what the database does without us
    "tests/ledger/recording_load.py",  # likewise
    "tests/cli/test_audit.py",  # corrupts a log
    "tests/ledger/posting/test_trouble.py",  # corrupts a document
    "tests/simulation/queues.py",  # looks at every step, by the driver: SQLAlchemy would cost ten times the look
    "tests/simulation/checks.py",  # reads the sandbox's store of Odoo's tables
    "tests/odoo/",  # likewise
    "tests/sandbox/",  # likewise
    "tests/architecture/",  # roles of the database, and examples
)
SQL = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|CREATE|DROP|ALTER|EXPLAIN)\s")
PURE_LAYERS = frozenset({"domain", "handlers", "workers", "storage", "engine", "providers"})
SYNCHRONOUS_LAYERS = PURE_LAYERS | {"servicer", "wire"}
NAMES_DOCUMENT_TYPES = ("services.ledger.domain.document_type", "services.ledger.domain.rules")
BROAD = frozenset({"Exception", "BaseException"})
IMPURE = frozenset(
    {
        *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
        *("time.time", "time.time_ns", "time.sleep"),
        *("uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "os.urandom"),
    }
)


def dotted(node: ast.expr | None) -> str:
    """`os.environ` of such an expression; empty for what is no plain name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def sizes(module: Module) -> list[str]:
    """Modules stay under 400 lines and functions fit a screen; a migration is as long as its tables."""
    if "/migrations/" in module.path:
        return []
    lines = module.text.count("\n")
    limit = LONGER.get(str(module), MODULE_LINES)
    found = [f"{module}: {lines} lines, more than {limit}"] if lines > limit else []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                found.append(f"{module}:{node.lineno} {node.name}: {length} lines, more than {FUNCTION_LINES}")
    return found


def vague_names(module: Module) -> list[str]:
    """A module is called after what it holds."""
    last = module.name.rpartition(".")[2]
    return [f"{module}: {last} says nothing"] if last in VAGUE_NAMES else []


def environment(module: Module) -> list[str]:
    """Only a service's main and the command read the environment."""
    if module.layer == "main" or module.name.split(".")[0] == "cli":
        return []
    reads = frozenset({"os.environ", "os.getenv", "os.environb"})
    found = [f"{module}: imports {name}" for name in module.imports if name in reads]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in reads:
            found.append(f"{module}:{node.lineno} reads the environment")
    return found


def broad_handlers(module: Module) -> list[str]:
    """Only the boundaries, of calls (libs/rpc) and of workers (libs/service), may catch what they do not know.

    `except BaseException: undo(); raise` catches nothing: it is how a transaction is rolled back.
    """
    if module.name.startswith(("libs.rpc.", "libs.service.")):
        return []
    found = []
    for node in ast.walk(module.tree):
        caught: list[ast.expr | None] = []
        if isinstance(node, ast.ExceptHandler) and not _undoes(node):
            caught = list(node.type.elts) if isinstance(node.type, ast.Tuple) else [node.type]
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
            caught = list(node.args)
        if any(kind is None or dotted(kind) in BROAD for kind in caught):
            found.append(f"{module}:{getattr(node, 'lineno', 0)} catches everything")
    return found


def _undoes(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return dotted(handler.type) == "BaseException" and isinstance(last, ast.Raise) and last.exc is None


def _annotated(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Every annotated name with its annotation: fields, variables, arguments, results."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            yield dotted(node.target).rpartition(".")[2], node.annotation
        elif isinstance(node, ast.arg) and node.annotation is not None:
            yield node.arg, node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.name, node.returns


def _is_float(annotation: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "float" for node in ast.walk(annotation))


def float_money(module: Module) -> list[str]:
    """No name of money is a float anywhere; in a domain and among the values nothing is, except measures."""
    if module.name.startswith(("libs.odoo", "sandbox")):  # Odoo's JSON says money in floats
        return []
    exact = module.layer == "domain" or module.name.split(".")[:2] in (["libs", "money"], ["libs", "events"])
    found = []
    for name, annotation in _annotated(module.tree):
        if not _is_float(annotation) or name.endswith(MEASURES):
            continue
        if exact or MONEY_WORDS.search(name):
            found.append(f"{module}:{annotation.lineno} {name} is a float")
    if exact:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and dotted(node.func) == "float":
                found.append(f"{module}:{node.lineno} makes a float")
    return found


def impurities(module: Module) -> list[str]:
    """Clocks, ids and randomness are arguments below the servicer, or no seed could repeat a run."""
    if module.layer not in PURE_LAYERS or "/migrations/" in module.path:
        return []
    found = [f"{module}: imports {name}" for name in module.imports if name in IMPURE or name.startswith("secrets.")]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = dotted(node.func)
            tail = ".".join(called.split(".")[-2:])
            module_level_random = called.startswith("random.") and called not in (
                "random.Random",
                "random.SystemRandom",
            )
            if tail in IMPURE or module_level_random or called.startswith("secrets."):
                found.append(f"{module}:{node.lineno} calls {called}")
    return found


def document_types(module: Module) -> list[str]:
    """What differs by the type of a document is one of its traits; only the rules, which make documents, name types."""
    if module.name.startswith(NAMES_DOCUMENT_TYPES):
        return []
    return [
        f"{module}:{node.lineno} names {dotted(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and dotted(node.value) == "DocumentType" and node.attr.isupper()
    ]


def asynchronous(module: Module) -> list[str]:
    """Everything behind the HTTP edge is synchronous: the simulation calls it without a loop."""
    if module.layer not in SYNCHRONOUS_LAYERS:
        return []
    kinds = ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await
    return [f"{module}:{node.lineno} is asynchronous" for node in ast.walk(module.tree) if isinstance(node, kinds)]


def imports_of_tests(module: Module) -> list[str]:
    """No module imports a test module: what two of them need stands beside them, fixtures in `conftest.py`."""
    return [
        f"{module}: imports {name}"
        for name in module.imports
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))
    ]


def silenced_redefinitions(module: Module) -> list[str]:
    """An imported fixture that an argument hides needs `noqa`: fixtures stand in `conftest.py`."""
    code = "F" + "811"
    return [f"{module}:{number}" for number, line in enumerate(module.text.splitlines(), 1) if code in line]


def raw_sql(module: Module) -> list[str]:
    """A test looks at what is stored through repositories, or by `tests.storage.stored`."""
    if not module.path.startswith("tests/") or module.path.startswith(SAYS_SQL):
        return []
    return [
        f"{module}:{node.lineno} says SQL"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
