"""Stripe's reports written by hand for a test."""

from __future__ import annotations

from io import BytesIO

HEADER = (
    "automatic_payout_id,automatic_payout_effective_at_utc,balance_transaction_id,created_utc,available_on_utc,"
    "currency,gross,fee,net,reporting_category,source_id,description,charge_id,payment_intent_id,customer_id,"
    "customer_facing_amount,customer_facing_currency,payment_metadata[order_id]"
)


def row(txn: str, gross: str, fee: str, net: str, **other: str) -> str:
    """A row of one charge in `po_1`, with any column replaced."""
    values = {
        "automatic_payout_id": "po_1",
        "automatic_payout_effective_at_utc": "2026-01-31 00:00:00",
        "balance_transaction_id": txn,
        "created_utc": "2026-01-28 23:30:00",
        "available_on_utc": "2026-01-30 00:00:00",
        "currency": "eur",
        "gross": gross,
        "fee": fee,
        "net": net,
        "reporting_category": "charge",
        **other,
    }
    return ",".join(values.get(name, "") for name in HEADER.split(","))


def report(*rows: str, header: str = HEADER) -> BytesIO:
    return BytesIO("".join(f"{line}\n" for line in (header, *rows)).encode())


CHARGE = row(
    "txn_1", "119.00", "3.75", "115.25", source_id="ch_1", charge_id="ch_1", payment_intent_id="pi_1", customer_id="cus_1",
    description='"Order 1001, ""gift"""', customer_facing_amount="130.00", customer_facing_currency="usd",
    **{"payment_metadata[order_id]": "1001"},
)  # fmt: skip
REFUND = row("txn_2", "-19.00", "0.00", "-19.00", reporting_category="refund")
DISPUTE = row("txn_3", "-50.00", "15.00", "-65.00", reporting_category="dispute")
PAYOUT = row("txn_4", "-31.25", "0.00", "-31.25", reporting_category="payout", source_id="po_1")
