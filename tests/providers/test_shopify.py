"""What Shopify's messages tell, beyond the golden ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from libs.events import Digest
from providers.base import Source
from tests.providers.golden import GOLDEN, outcome, scratch, translated


def test_an_order_and_its_later_echo_tell_one_sale_and_the_refund_is_the_same_either_way() -> None:
    shop = GOLDEN / "shopify"
    (paid,) = translated(shop / "order.paid.json").events
    echo, refund_in_order = translated(shop / "order.refunded.json").events
    (refund,) = translated(shop / "refund.json").events
    assert (paid.name, Digest.of(paid)) == (echo.name, Digest.of(echo))
    assert (refund.name, Digest.of(refund)) == (refund_in_order.name, Digest.of(refund_in_order))


def test_a_test_order_never_reaches_a_live_company(tmp_path: Path) -> None:
    order = json.loads((GOLDEN / "shopify" / "order.paid.json").read_text()) | {"test": True}
    folder = scratch(tmp_path, "shopify")
    (folder / "order.test.json").write_text(json.dumps(order))
    assert translated(folder / "order.test.json").ignored == "LIVEMODE_MISMATCH"
    trial = Source("shopify", "shop", "demo", False)
    assert len(translated(folder / "order.test.json", trial).events) == 1


def test_a_test_order_s_refund_never_reaches_a_live_company(tmp_path: Path) -> None:
    refund = json.loads((GOLDEN / "shopify" / "refund.json").read_text())
    for one in refund["transactions"]:
        one["test"] = True
    folder = scratch(tmp_path, "shopify")
    (folder / "refund.test.json").write_text(json.dumps(refund))
    assert translated(folder / "refund.test.json").ignored == "LIVEMODE_MISMATCH"
    trial = Source("shopify", "shop", "demo", False)
    assert len(translated(folder / "refund.test.json", trial).events) == 1


@pytest.mark.parametrize("at", ["2026-11-22", "2026-11-22T10:00:00", "9999-12-31T23:59:59-10:00", "yesterday"])
def test_a_time_that_is_none_is_refused(tmp_path: Path, at: str) -> None:
    order = json.loads((GOLDEN / "shopify" / "order.paid.json").read_text()) | {"processed_at": at}
    folder = scratch(tmp_path, "shopify")
    (folder / "order.when.json").write_text(json.dumps(order))
    assert outcome(folder / "order.when.json") == {"refused": "DELIVERY_SHAPE_INVALID"}
