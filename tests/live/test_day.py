"""The demo's day through the real suite into the Odoo that the environment names: the same trial balance.

By our user alone. External ids are of the run alone and books are compared by what they grew by, so that it can be
repeated on one database.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from concord.recon.v1 import match_pb2

from cli.demo.command import Played, played_day
from cli.odoo_key import make_api_key
from libs.odoo.connect import connect
from libs.odoo.plan import Plan
from libs.odoo.port import Odoo
from tests.live.server import Server

pytestmark = [pytest.mark.live, pytest.mark.slow]

# The table of the accounting reference: debit above zero, accounts at zero left out.
TABLE = {
    "BANK": "118.97", "DSP": "43.20", "RET": "20.00", "FEE": "6.88", "DFE": "15.00", "FXD": "0.55",
    "REV": "-195.00", "TAX": "-9.60",
}  # fmt: skip


def by_password(server: Server) -> dict[str, str]:
    return {"CONCORD_ODOO_PASSWORD": server.password}


def by_key(server: Server) -> dict[str, str]:
    key = make_api_key(server.url, server.database, server.user, server.password, "live test", 1)
    return {"CONCORD_ODOO_API_KEY": key}


def environment(server: Server, credential: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONCORD_", "OTEL_"))}
    named = {
        "CONCORD_ODOO_URL": server.url,
        "CONCORD_ODOO_DB": server.database,
        "CONCORD_ODOO_USER": server.user,
        "CONCORD_INSTALLATION": f"t{uuid.uuid4().hex[:12]}",
    }
    return {**clean, **named, **credential}


def played(server: Server, folder: Path, credential: Mapping[str, str], *, reference_only: bool) -> Played:
    with played_day(folder, environment(server, credential), print, reference_only=reference_only) as day:
        return day


@pytest.fixture(scope="module")
def reference(server: Server, provisioned: Plan, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return played(server, tmp_path_factory.mktemp("reference") / "day", by_password(server), reference_only=True)


@pytest.fixture(scope="module")
def whole(server: Server, provisioned: Plan, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """By an API key, so that Odoo 19 is spoken to by JSON-2."""
    return played(server, tmp_path_factory.mktemp("whole") / "day", by_key(server), reference_only=False)


def test_the_reference_day_gives_its_table(reference: Played) -> None:
    assert reference.sent.surprises == []
    assert [one.reason for one in reference.findings.exceptions] == []
    assert dict(reference.findings.balance) == {role: Decimal(amount) for role, amount in sorted(TABLE.items())}


def test_the_reference_day_leaves_nothing_open(reference: Played) -> None:
    findings = reference.findings
    assert findings.differences == []
    assert findings.is_complete
    assert {match.state for match in findings.matches} == {match_pb2.Match.STATE_WRITTEN}


def test_the_whole_day_is_what_the_partners_files_say(whole: Played) -> None:
    findings = whole.findings
    assert whole.sent.surprises == []
    assert [one.reason for one in findings.exceptions] == []
    assert dict(findings.balance) == dict(findings.expected)
    assert findings.balance["CLR"] == whole.provider_balance
    assert findings.is_complete
    assert len(findings.differences) == 2


def test_every_document_is_in_odoo_once(ours: Odoo, whole: Played) -> None:
    numbers = sorted(one.odoo_number for one in whole.findings.postings if one.odoo_number)
    transactions = sorted({one.transaction_id for one in whole.findings.postings})
    moves = ours.execute("account.move", "search_read", [[["ref", "in", transactions]], ["name", "state"]])
    assert sorted(move["name"] for move in moves) == numbers
    assert {move["state"] for move in moves} == {"posted"}
    assert len(numbers) == len(set(numbers))


def test_an_api_key_speaks_json2_where_the_server_has_it(server: Server, version: int) -> None:
    key = by_key(server)["CONCORD_ODOO_API_KEY"]
    adapter = type(connect(server.url, server.database, server.user, api_key=key)).__name__
    assert adapter == ("Json2Odoo" if version >= 19 else "JsonRpcOdoo")
