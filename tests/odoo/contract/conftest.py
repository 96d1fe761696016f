"""One suite, every target. The live one needs `-m live` or at least its environment variables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.odoo.contract.books import Books
from tests.odoo.contract.target import LIVE, SANDBOXES, Target, live_is_named, open_target


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "live: runs on the Odoo server that CONCORD_TEST_ODOO_* names")


def _targets() -> list[object]:
    live = [pytest.param(name, marks=pytest.mark.live) for name in LIVE] if live_is_named() else []
    return [*SANDBOXES, *live]


@pytest.fixture(scope="session")
def run() -> str:
    """Makes keys, references and journal codes of this run its own: a live database keeps the old ones."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    number, text = int(time.time() * 10), ""
    while number:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
    return text[-7:]


@pytest.fixture(scope="session", params=_targets())
def target(request: pytest.FixtureRequest, run: str) -> Iterator[Target]:
    with ExitStack() as stack:
        yield open_target(str(request.param), run, stack)


@pytest.fixture
def books(target: Target) -> Books:
    return target.books
