"""The day's facts as the files that each partner would hand over, for whoever wants to count by themselves."""

from __future__ import annotations

import json
from pathlib import Path

from .day import Day
from .shop import order_body


def write_inputs(day: Day, folder: Path) -> None:
    """Write orders, refunds, the provider's balance transactions with their sources, and the bank statement."""
    for name in ("shopify", "stripe", "bank"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for sale in day.sales:
        (folder / "shopify" / f"order-{sale.number}.json").write_bytes(order_body(sale))
    for number, body in enumerate(day.refunds, start=1):
        (folder / "shopify" / f"refund-{number}.json").write_bytes(body)
    stripe = day.stripe
    listed = [{**transaction, "source": stripe.objects[transaction["source"]]} for transaction in stripe.transactions]
    text = json.dumps({"object": "list", "data": listed}, indent=1, default=str)
    (folder / "stripe" / "balance_transactions.json").write_text(text)
    (folder / "bank" / "statement.xml").write_bytes(day.statement())
