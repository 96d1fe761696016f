"""Where a test of the whole way runs: the live server that the environment names, or a sandbox for the rehearsal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from cli.odoo_key import make_api_key
from libs.odoo.connect import connect, server_version
from libs.odoo.port import Odoo
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.server import SandboxServer
from sandbox.transport import InProcess
from tests.live.server import Server, missing_variables


@dataclass(frozen=True, slots=True)
class Place:
    """An Odoo by its address, how our user signs in at another address, and an administrator who looks."""

    url: str
    sign_in: Callable[[str], Odoo]
    admin: Odoo


def _sandbox(version: int, by_key: bool, stack: ExitStack) -> Place:
    sandbox = Sandbox(":memory:", lambda: datetime(2026, 11, 22, 12, tzinfo=UTC), version)
    stack.callback(sandbox.close)
    bootstrap(sandbox)
    sandbox.add_api_key("concord", "key-of-concord")
    server = stack.enter_context(SandboxServer(sandbox))
    password, key = (None, "key-of-concord") if by_key else ("concord", None)
    admin = InProcess(sandbox, "admin")
    return Place(server.url, lambda url: connect(url, "sandbox", "concord", password, key), admin)


def _live(by_key: bool) -> Place:
    if missing := missing_variables(os.environ):
        pytest.skip(f"needs {', '.join(missing)} in the environment")
    server = Server.from_env(os.environ)
    if by_key and server_version(server.url) < 19:
        pytest.skip("an API key speaks JSON-2 from Odoo 19 on")
    key = make_api_key(server.url, server.database, server.user, server.password, "live test", 1) if by_key else None
    return Place(
        server.url,
        lambda url: connect(url, server.database, server.user, server.password, key),
        connect(server.url, server.database, server.admin_user, server.admin_password),
    )


@contextmanager
def open_place(name: str) -> Iterator[Place]:
    """`live` or `sandbox18`, signed in by an API key where the name ends with `by-key`."""
    by_key = name.endswith("by-key")
    with ExitStack() as stack:
        yield _live(by_key) if name.startswith("live") else _sandbox(19 if by_key else 18, by_key, stack)
