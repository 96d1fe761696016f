"""`concord inspect event`: what a message would give, several files in one run, refusals with their reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.inspect import app

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def test_files_are_told_in_order_and_a_refused_one_makes_the_exit_status_two(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"id": "evt_1", "object"')
    good = GOLDEN / "stripe" / "charge.succeeded.expanded.json"
    done = CliRunner().invoke(app, ["event", "--provider", "stripe", "--summary", str(broken), str(good)])
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert done.exit_code == 2
    assert first["error"]["reason"] == "JSON_MALFORMED"
    assert [(one["kind"], one["amount"], one["currency"]) for one in second["events"]] == [("capture", "54.45", "USD")]
    assert second["ignored"] is None


@pytest.mark.parametrize("provider, file, kind", [
    ("shopify", "order.paid.json", "invoice"),
    ("shopify", "refund.json", "credit_note"),
])  # fmt: skip
def test_each_provider_tells_its_events(provider: str, file: str, kind: str) -> None:
    done = CliRunner().invoke(app, ["event", "--provider", provider, str(GOLDEN / provider / file)])
    assert done.exit_code == 0
    assert [one["kind"] for one in json.loads(done.stdout)["events"]] == [kind]


def test_what_concerns_no_money_says_why() -> None:
    done = CliRunner().invoke(app, ["event", "--provider", "shopify", "--topic", "customers/update",
                                    str(GOLDEN / "shopify" / "customer.json")])  # fmt: skip
    assert json.loads(done.stdout)["ignored"] == "CONCERNS_NO_MONEY"
