"""Sizes and habits hold everywhere; each rule is shown to catch what it is there for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.architecture import habits
from tests.architecture.source import EVERYTHING, PRODUCT, Module, modules

Rule = Callable[[Module], list[str]]

RULES: list[tuple[Rule, tuple[str, ...]]] = [
    (habits.sizes, EVERYTHING),
    (habits.vague_names, EVERYTHING),
    (habits.environment, PRODUCT),
    (habits.broad_handlers, PRODUCT),
    (habits.float_money, PRODUCT),
    (habits.impurities, PRODUCT),
    (habits.asynchronous, PRODUCT),
    (habits.imports_of_tests, EVERYTHING),
    (habits.silenced_redefinitions, EVERYTHING),
    (habits.document_types, PRODUCT),
    (habits.raw_sql, EVERYTHING),
]


@pytest.mark.parametrize("rule, roots", RULES, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_holds(rule: Rule, roots: tuple[str, ...]) -> None:
    assert not [violation for module in modules(*roots) for violation in rule(module)]


FINE, CAUGHT = False, True


@pytest.mark.parametrize(
    "rule, path, text, caught",
    [
        (habits.sizes, "libs/money/a.py", "\n" * 400, FINE),
        (habits.sizes, "libs/money/a.py", "\n" * 401, CAUGHT),
        (habits.sizes, "libs/money/a.py", "def f():\n" + "    x = 1\n" * 69, FINE),
        (habits.sizes, "libs/money/a.py", "def f():\n" + "    x = 1\n" * 70, CAUGHT),
        (habits.sizes, "services/ledger/storage/migrations/versions/a.py", "\n" * 900, FINE),
        (habits.vague_names, "libs/money/utils.py", "", CAUGHT),
        (habits.vague_names, "libs/money/currency.py", "", FINE),
        (habits.environment, "services/ledger/config.py", "import os\nos.environ['A']", CAUGHT),
        (habits.environment, "services/ledger/config.py", "import os\nos.getenv('A')", CAUGHT),
        (habits.environment, "services/ledger/config.py", "from os import environ", CAUGHT),
        (habits.environment, "services/ledger/main.py", "import os\nos.environ['A']", FINE),
        (habits.environment, "cli/up.py", "import os\nos.environ['A']", FINE),
        (habits.broad_handlers, "libs/odoo/a.py", "try:\n    f()\nexcept Exception:\n    pass", CAUGHT),
        (habits.broad_handlers, "libs/odoo/a.py", "try:\n    f()\nexcept:\n    pass", CAUGHT),
        (habits.broad_handlers, "libs/odoo/a.py", "try:\n    f()\nexcept (OSError, BaseException):\n    pass", CAUGHT),
        (habits.broad_handlers, "libs/odoo/a.py", "with contextlib.suppress(Exception):\n    f()", CAUGHT),
        (habits.broad_handlers, "libs/odoo/a.py", "try:\n    f()\nexcept (OSError, ValueError):\n    pass", FINE),
        (habits.broad_handlers, "libs/odoo/a.py", "try:\n    f()\nexcept BaseException:\n    undo()\n    raise", FINE),
        (habits.broad_handlers, "libs/odoo/a.py", "try:\n    f()\nexcept Exception:\n    undo()\n    raise", CAUGHT),
        (habits.broad_handlers, "libs/rpc/errors.py", "try:\n    f()\nexcept Exception:\n    pass", FINE),
        (habits.document_types, "services/ledger/workers/a.py", "x.type is DocumentType.ENTRY", CAUGHT),
        (habits.document_types, "services/ledger/workers/a.py", "MODELS = {DocumentType.ENTRY: 'm'}", CAUGHT),
        (habits.document_types, "services/ledger/workers/a.py", "x: DocumentType = y.type", FINE),
        (habits.document_types, "services/ledger/domain/rules/a.py", "Document(type=DocumentType.ENTRY)", FINE),
        (habits.float_money, "services/ledger/domain/a.py", "class A:\n    size: float", CAUGHT),
        (habits.float_money, "services/ledger/domain/a.py", "class A:\n    wait_seconds: float", FINE),
        (habits.float_money, "services/ledger/domain/a.py", "x = float('1.5')", CAUGHT),
        (habits.float_money, "services/ledger/storage/a.py", "def f(fee_amount: float | None) -> None: ...", CAUGHT),
        (habits.float_money, "libs/odoo/a.py", "def f(fee_amount: float) -> None: ...", FINE),
        (habits.float_money, "services/ledger/storage/a.py", "def total() -> list[float]: ...", CAUGHT),
        (habits.float_money, "services/ledger/storage/a.py", "def f(network: float) -> None: ...", FINE),
        (habits.float_money, "services/ledger/storage/a.py", "def f(budget_ratio: float) -> None: ...", FINE),
        (habits.impurities, "services/ledger/handlers/a.py", "datetime.now(UTC)", CAUGHT),
        (habits.impurities, "services/ledger/handlers/a.py", "import datetime\ndatetime.datetime.now()", CAUGHT),
        (habits.impurities, "services/ledger/workers/a.py", "import time\ntime.sleep(1)", CAUGHT),
        (habits.impurities, "services/ledger/workers/a.py", "from uuid import uuid4", CAUGHT),
        (habits.impurities, "services/ledger/workers/a.py", "import random\nrandom.random()", CAUGHT),
        (habits.impurities, "services/ledger/workers/a.py", "def f(rng: random.Random):\n    rng.random()", FINE),
        (habits.impurities, "services/ledger/main.py", "datetime.now(UTC)", FINE),
        (habits.asynchronous, "services/ledger/handlers/a.py", "async def f(): ...", CAUGHT),
        (habits.asynchronous, "services/gateway/http.py", "async def f(): ...", FINE),
        (habits.imports_of_tests, "tests/ledger/test_build.py", "from tests.ledger.test_walk import f", CAUGHT),
        (habits.imports_of_tests, "tests/ledger/test_build.py", "from .test_walk import f", CAUGHT),
        (habits.imports_of_tests, "tests/ledger/test_build.py", "from tests.ledger.world import f", FINE),
        (habits.silenced_redefinitions, "tests/a.py", "def f(world: int) -> None: ...  # noqa: " + "F" + "811", CAUGHT),
        (habits.silenced_redefinitions, "tests/a.py", "def f(world: int) -> None: ...", FINE),
        (habits.raw_sql, "tests/gateway/test_a.py", "rows('SELECT name FROM event')", CAUGHT),
        (habits.raw_sql, "tests/gateway/test_a.py", "rows(f'SELECT name FROM {table}')", CAUGHT),
        (habits.raw_sql, "tests/gateway/test_a.py", "stored('event', 'name')", FINE),
        (habits.raw_sql, "tests/storage/test_a.py", "rows('SELECT name FROM event')", FINE),
        (habits.raw_sql, "services/ledger/storage/a.py", "text('SELECT 1 FROM event')", FINE),
    ],
)
def test_each_rule_catches_what_it_is_there_for(rule: Rule, path: str, text: str, caught: bool) -> None:
    assert bool(rule(Module.parse(path, text))) is caught
