"""What the contract runs on: sandboxes in process and over HTTP, or the live server that the environment names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cli.odoo_key import make_api_key
from libs.odoo.connect import FIRST_WITH_JSON2, connect, server_version
from libs.odoo.json2 import Json2Odoo
from libs.odoo.jsonrpc import JsonRpcOdoo
from libs.odoo.port import Odoo
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.server import SandboxServer
from sandbox.transport import InProcess

from .books import Books, prepare

SANDBOX_NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SANDBOXES = ("sandbox18", "sandbox19", "sandbox18-jsonrpc", "sandbox19-jsonrpc", "sandbox19-json2")
LIVE = ("live", "live-json2")  # by the password, and by an API key that is made for the run
_LIVE = "CONCORD_TEST_ODOO_"
LIVE_NAMES = tuple(_LIVE + name for name in ("URL", "DB", "USER", "PASSWORD", "ADMIN_USER", "ADMIN_PASSWORD"))


@dataclass(slots=True)
class Target:
    """One Odoo with two of its users: ours with the least rights, and an administrator."""

    name: str
    odoo: Odoo
    admin: Odoo
    books: Books
    log_in: Callable[[str, str], Odoo]  # another user, by login and password

    def call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.odoo.execute(model, method, list(args), kwargs)

    def as_admin(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.admin.execute(model, method, list(args), kwargs)

    @property
    def by_json2(self) -> bool:
        return isinstance(self.odoo, Json2Odoo)


def live_is_named(env: Mapping[str, str] = os.environ) -> bool:
    return all(env.get(name) for name in LIVE_NAMES)


def open_target(name: str, run: str, stack: ExitStack) -> Target:
    """The target by its name; what it opens is closed by the stack."""
    if name in LIVE:
        return _live(name, run)
    version = 19 if "19" in name else 18
    sandbox = Sandbox(":memory:", lambda: SANDBOX_NOW, version)
    stack.callback(sandbox.close)
    bootstrap(sandbox)
    if "-" not in name:
        return _target(name, lambda login, _: InProcess(sandbox, login), version, run, SANDBOX_NOW.date())
    for login in ("concord", "admin"):
        sandbox.add_api_key(login, f"key-of-{login}")
    server = stack.enter_context(SandboxServer(sandbox))

    def log_in(login: str, password: str) -> Odoo:
        if name.endswith("json2") and login in ("concord", "admin"):
            adapter = Json2Odoo(server.url, "sandbox", f"key-of-{login}")
            stack.callback(adapter.close)
            return adapter
        return JsonRpcOdoo(server.url, "sandbox", login, password)

    return _target(name, log_in, version, run, SANDBOX_NOW.date())


def _target(name: str, log_in: Callable[[str, str], Odoo], version: int, run: str, today: date) -> Target:
    admin = log_in("admin", "admin")
    return Target(name, log_in("concord", "concord"), admin, prepare(admin, version, run, today), log_in)


def _live(name: str, run: str) -> Target:
    url, db, user, password, admin_user, admin_password = (os.environ[one] for one in LIVE_NAMES)
    version = server_version(url)
    key = None
    if name == "live-json2":
        if version < FIRST_WITH_JSON2:
            pytest.skip(f"Odoo {version} does not speak JSON-2")
        key = make_api_key(url, db, user, password, f"contract {run}", 1)
    admin = connect(url, db, admin_user, admin_password)
    odoo = connect(url, db, user, password, key)
    books = prepare(admin, version, run, datetime.now(UTC).date())
    return Target(name, odoo, admin, books, lambda login, password: connect(url, db, login, password))
