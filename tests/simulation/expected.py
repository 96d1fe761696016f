"""The day's books, computed from what the partners sent and served, without a line of the product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from cli.demo.shop import Sale
from tests.simulation.day import ARRIVAL, Day

NEW_YORK = ZoneInfo("America/New_York")
DOLLARS_PER_EURO = Decimal("1.10")
UNIDENTIFIED = "Unidentified customer"
# (role, partner, currency, day) → cents in that currency, cents of the company. Receivables alone bear a partner.
# They and what exchange does to them bear no day: which entry Odoo puts it in depends on what came first.
Key = tuple[str, str, str, str]
Books = dict[Key, tuple[int, int]]
UNDATED = ("AR", "FXD")


def expected_books(day: Day) -> Books:
    """Balances by account, partner, currency and day; zeros left out."""
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0])

    def book(role: str, cents: int, at: str, partner: str = "", currency: str = "USD", home: int | None = None) -> None:
        dated = "" if role in UNDATED else at
        one = sums[role, partner if role == "AR" else "", currency, dated]
        one[0] += cents
        one[1] += cents if home is None else home

    for sale in day.sales:
        if is_mapped(sale):
            _sell(book, sale, sale.net, sale.tax, "REV", 1, sale.at)
    for sale, net, tax, at in day.credit_notes:
        _sell(book, sale, net, tax, "RET", -1, at)
    for row in day.stripe.transactions:
        _move(book, day, row)
    for dispute, at in day.lost_disputes.items():
        cents = day.stripe.objects[dispute]["amount"]
        book("CBL", cents, _local(at))
        book("DSP", -cents, _local(at))
    for credit in day.credits:
        cents = _cents(credit.amount)
        book("BANK", cents, ARRIVAL.isoformat())
        role, partner = _counterpart(credit.payer)
        book(role, -cents, ARRIVAL.isoformat(), partner)
    return {key: (amount, home) for key, (amount, home) in sums.items() if amount or home}


def is_mapped(sale: Sale) -> bool:
    """Whether the company's mapping knows the sale's tax: 8 %, or none."""
    return sale.tax * 100 in (sale.net * 8, 0)


Book = Callable[..., None]


def _sell(book: Book, sale: Sale, net: Decimal, tax: Decimal, role: str, sign: int, at: datetime) -> None:
    for account, amount in (("AR", sign * (net + tax)), (role, -sign * net), ("TAX", -sign * tax)):
        home = amount * DOLLARS_PER_EURO if sale.currency == "EUR" else amount
        book(account, _cents(amount), _local(at), sale.buyer.name, sale.currency, _cents(home))


def _move(book: Book, day: Day, row: dict[str, object]) -> None:
    """One balance transaction of Stripe's: gross against its counterpart, the fee beside it."""
    category, gross, fee = str(row["reporting_category"]), int(str(row["amount"])), int(str(row["fee"]))
    at = _local(datetime.fromtimestamp(int(str(row["created"])), UTC))
    book("CLR", gross - fee, at)
    book("DFE" if category == "dispute" else "FEE", fee, at)
    role = {"dispute": "DSP", "payout": "TRN", "other_adjustment": "UNX"}.get(category, "AR")
    if role != "AR":
        book(role, -gross, at)
        return
    source = day.stripe.objects[str(row["source"])]
    charge = day.stripe.objects[str(source.get("charge", source["id"]))]
    order = charge["metadata"].get("order_id")
    sale = next((one for one in day.sales if str(one.order_id) == order), None)
    if sale is None or sale.currency == "USD":
        book("AR", -gross, at, sale.buyer.name if sale else UNIDENTIFIED)
        return
    owed = _cents(sale.total * DOLLARS_PER_EURO)
    book("AR", -_cents(sale.total), at, sale.buyer.name, sale.currency, -owed)
    book("FXD", owed - gross, at)


def _counterpart(payer: str) -> tuple[str, str]:
    if payer == "STRIPE PAYMENTS":
        return "TRN", ""
    return ("AR", payer) if payer == "Carla Costa" else ("SUS", "")


def _local(at: datetime) -> str:
    return at.astimezone(NEW_YORK).date().isoformat()


def _cents(amount: Decimal) -> int:
    return int((amount * 100).to_integral_value(ROUND_HALF_UP))
