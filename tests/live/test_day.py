"""The demo's day through the real suite into the Odoo that the environment names: the same trial balance."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from cli.demo.command import played_day

NEEDED = ("CONCORD_TEST_ODOO_URL", "CONCORD_TEST_ODOO_DB", "CONCORD_TEST_ODOO_USER")
pytestmark = pytest.mark.live


def test_the_day_gives_the_same_books_in_a_real_odoo(tmp_path: Path) -> None:
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no live Odoo: {', '.join(missing)} not set")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    for name in ("URL", "DB", "USER", "PASSWORD", "API_KEY"):
        environment[f"CONCORD_ODOO_{name}"] = os.environ.get(f"CONCORD_TEST_ODOO_{name}", "")
    # External ids of this run alone, so that it can be repeated on one database.
    environment["CONCORD_INSTALLATION"] = f"t{uuid.uuid4().hex[:12]}"
    with played_day(tmp_path / "day", environment, lambda _: None) as played:
        findings = played.findings
    assert played.sent.surprises == []
    assert findings.exceptions == [], [one.reason for one in findings.exceptions]
    assert dict(findings.balance) == dict(findings.expected)
    assert findings.balance["CLR"] == played.provider_balance
    assert findings.is_complete
    assert len(findings.differences) == 2
