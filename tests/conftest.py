"""Marks tests by what they need, so that no test forgets: `make` selects by these marks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.storage.fixtures import POSTGRES
from tests.storage.fixtures import engine_for as engine_for

HERE = Path(__file__).resolve().parent
# Everything in these folders bears their mark.
FOLDERS = {"simulation": "simulation", "process": "process"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs before pytest selects by mark (`-m`)."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        if folder in FOLDERS:
            item.add_marker(FOLDERS[folder])
        # A test over both databases names them as parameters.
        if "postgresql" in getattr(getattr(item, "callspec", None), "params", {}).values():
            item.add_marker("postgres")
        if item.get_closest_marker("postgres") and not os.environ.get(POSTGRES):
            item.add_marker(pytest.mark.skip(reason=f"no PostgreSQL: {POSTGRES} is not set"))
