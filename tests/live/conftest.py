"""The live Odoo that the environment names, as its administrator and as our users; skips where none is named."""

from __future__ import annotations

import os
import time

import pytest

from libs.odoo.connect import connect, server_version
from libs.odoo.port import Odoo
from tests.live.server import Server, missing_variables


@pytest.fixture(scope="session")
def server() -> Server:
    missing = missing_variables(os.environ)
    if missing:
        pytest.skip(f"needs {', '.join(missing)} in the environment")
    return Server.from_env(os.environ)


@pytest.fixture(scope="session")
def version(server: Server) -> int:
    return server_version(server.url)


@pytest.fixture(scope="session")
def admin(server: Server) -> Odoo:
    return connect(server.url, server.database, server.admin_user, server.admin_password)


@pytest.fixture(scope="session")
def ours(server: Server) -> Odoo:
    """The integration user: Invoicing and `account.group_account_basic`, nothing more."""
    return connect(server.url, server.database, server.user, server.password)


@pytest.fixture(scope="session")
def run() -> str:
    """A word of this run, so that keys are new on a database that keeps the old ones."""
    return f"live{int(time.time() * 10)}"
