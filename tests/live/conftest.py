"""The live Odoo that the environment names, as its administrator and as our users; skips where none is named."""

from __future__ import annotations

import dataclasses
import os
import secrets
import time
from collections.abc import Iterator

import pytest

from libs.odoo.connect import connect, server_version
from libs.odoo.plan import Plan, PlannedUser
from libs.odoo.port import Odoo
from libs.odoo.provision import Provisioner
from sandbox.chart import PLAN
from tests.live.places import Place, open_place
from tests.live.server import INTEGRATION_GROUPS, Server, missing_variables


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


@pytest.fixture(scope="session")
def plan(server: Server) -> Plan:
    """The default plan with the integration user that the environment names."""
    chart = PLAN
    others = tuple(user for user in chart.users if user.login not in ("concord", server.user))
    ours = PlannedUser(server.user, "Concord", INTEGRATION_GROUPS)
    return dataclasses.replace(chart, users=(ours, *others))


@pytest.fixture(scope="session")
def provisioned(admin: Odoo, plan: Plan, server: Server) -> Plan:
    """The company has what the plan asks for: a database with a chart of accounts is enough to begin with."""
    Provisioner(admin, plan, _passwords(plan, server)).run()
    return plan


def _passwords(plan: Plan, server: Server) -> dict[str, str]:
    return {user.login: secrets.token_urlsafe() for user in plan.users} | {server.user: server.password}


@pytest.fixture(
    params=[
        "sandbox18",
        "sandbox19-by-key",
        pytest.param("live", marks=pytest.mark.live),
        pytest.param("live-by-key", marks=pytest.mark.live),
    ]
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with open_place(str(request.param)) as found:
        yield found
