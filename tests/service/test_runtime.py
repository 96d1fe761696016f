from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from libs.rpc.config import ConfigInvalid
from libs.service.config import RuntimeConfig, address_of
from libs.service.odoo import LazyOdoo, OdooConfig
from libs.service.wakes import Wakes

KEYS = {"CONCORD_TOKEN_KEYS": "k1:" + "z" * 40}


def test_whoever_follows_is_woken_once_something_was_done() -> None:
    wake, done = Wakes(), iter([0, 2])
    run = wake.after(lambda: next(done), ("match", "apply"))
    assert run() == 0
    assert not wake.of("match").is_set()
    assert run() == 2
    assert [wake.of(name).is_set() for name in ("match", "apply", "watch")] == [True, True, False]
    wake("watch")
    assert wake.of("watch").is_set()


def test_a_service_has_its_own_database_and_port_and_shows_no_secret(tmp_path: Path) -> None:
    env = KEYS | {"CONCORD_DATA_DIR": str(tmp_path), "CONCORD_NATS_URL": "nats://user:hush@127.0.0.1:4222"}
    config = RuntimeConfig.from_env(env, "recon", 1800.0)
    assert config.database_url == f"sqlite:///{tmp_path}/recon.db"
    assert (config.rpc.listen, config.rpc.unary_limit_seconds) == ("127.0.0.1:50054", 1800.0)
    assert "hush" not in repr(config)
    assert "zzz" not in repr(config)


def test_without_keys_nothing_starts() -> None:
    with pytest.raises(ConfigInvalid, match="CONCORD_TOKEN_KEYS"):
        RuntimeConfig.from_env({}, "ledger")


def test_a_service_is_called_where_its_variable_says_or_at_its_port() -> None:
    assert address_of("ledger", {}) == "127.0.0.1:50053"
    assert address_of("ledger", {"CONCORD_LEDGER_ADDRESS": "ledger:1"}) == "ledger:1"


def test_an_odoo_that_was_never_called_has_nothing_to_close() -> None:
    LazyOdoo(OdooConfig("http://127.0.0.1:9", "books", "concord", "secret")).close()


STARTED = """
import gc, sys
gc.disable()  # as each main.py does before its imports
from libs.service.runtime import run

class Built:
    def run(self, **_):
        return 0 if gc.isenabled() and gc.get_freeze_count() else 1

sys.exit(run("ledger", lambda env: Built(), {}))
"""


def test_garbage_is_collected_once_a_process_is_built_and_never_what_it_is_built_of() -> None:
    assert subprocess.run([sys.executable, "-c", STARTED], check=False).returncode == 0
