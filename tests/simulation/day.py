"""The day that every seed plays: a shop in two currencies, with real payload shapes.

| | what happens | what becomes of it |
| --- | --- | --- |
| A | 100.00 + 8.00 tax by card, 20.00 + 1.60 refunded | invoice, receipt, credit note, refund |
| B | EUR 50.00, booked 55.00, settled 54.45 | an exchange difference |
| C | 40.00 + 3.20 by card, disputed (fee 15.00) | disputed money |
| D | 75.00 + 6.00 by bank transfer | a bank line that closes an invoice |
| E | 25.00 + 2.00 by card, in no payout yet | a charge still pending |
| F | 15.00 by card that no order explains | a payment without an order |
| G | 12.34 at the bank that nothing explains | a difference |
| H | 30.00 + 2.40 by card, disputed and lost | a chargeback loss |
| I | 12.00 + 0.96 by a card whose customer Stripe does not know | a receipt that moves to its customer |
| J | an order with a tax that nobody mapped | an exception, and nothing else |
| K | 5.00 that Stripe takes without saying why | posted against UNX, with an exception |

The day crosses midnight in New York, where the company's accounting days end, and not in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from cli.demo import shop
from cli.demo.shop import Buyer, Sale
from cli.demo.statement import Credit, statement
from providers.stripe.fake_account import StripeAccount, StripeObject
from providers.stripe.signature import sign

COMPANY = "acme"
SHOP = "shop-1"
ACCOUNT = "acct_demo"
BANK_ACCOUNT = "US64SVBKUS6S3300958879"
EVENING = datetime(2026, 11, 19, 3, 0, tzinfo=UTC)  # 22:00 on the 18th in New York
ARRIVAL = date(2026, 11, 20)
STRIPE_SECRET = b"whsec_simulation"
SHOPIFY_SECRET = b"shop-secret"
ADA = Buyer(7001, "Ada", "Archer")
BERTIL = Buyer(7002, "Bertil", "Berg", "SE")
CARLA = Buyer(7003, "Carla", "Costa")

Header = dict[str, str]


@dataclass(frozen=True, slots=True)
class Message:
    """What a partner sends until they get a 2xx. `others_tell` of a message that may be lost for ever."""

    title: str
    provider: str
    account: str
    body: bytes
    headers: Callable[[datetime], Header]  # signed when sent
    others_tell: bool = False
    forged: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file that somebody uploads."""

    title: str
    provider: str
    account: str
    name: str
    body: bytes


@dataclass
class Day:
    """The partners' side of the day. `facts` happen in their order and give what is sent of them."""

    stripe: StripeAccount = field(default_factory=lambda: StripeAccount(ACCOUNT))
    sales: list[Sale] = field(default_factory=list)
    credit_notes: list[tuple[Sale, Decimal, Decimal, datetime]] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    lost_disputes: dict[str, datetime] = field(default_factory=dict)

    def facts(self) -> Iterator[tuple[datetime, Callable[[], list[Message | File]]]]:
        """When each happens, and what happens then."""
        steps: list[tuple[int, Callable[[datetime], list[Message | File]]]] = [
            (0, lambda at: self._paid_order("A", 5001, 1001, ADA, "100.00", "8.00", at, 343, customer="cus_ada")),
            (0, self._order_in_euro),
            (0, lambda at: self._paid_order("C", 5003, 1003, CARLA, "40.00", "3.20", at, 155, customer="cus_carla")),
            (0, lambda at: self._paid_order("H", 5008, 1008, CARLA, "30.00", "2.40", at, 124, customer="cus_carla")),
            (60, lambda at: self._paid_order("I", 5009, 1009, ADA, "12.00", "0.96", at, 68)),
            (60, self._refunded),
            (60, lambda at: self._disputed("C", at)),
            (60, lambda at: self._disputed("H", at)),
            (60, self._bank_order),
            (60, lambda at: [self._order(self._sale(5010, 1010, BERTIL, "10.00", "1.90", at))]),
            (130, self._unexplained),
            (130, self._lost),
            (150, lambda at: [self._payout("po_day", "7700118970", at)]),
            (150, self._reported),
            (165, self._without_order),
            (168, lambda at: self._paid_order("E", 5005, 1005, ADA, "25.00", "2.00", at, 108, customer="cus_ada")),
            (170, lambda at: [self._payout("po_lone", "7700014260", at, leave=1)]),
            (240, self._banked),
        ]
        for minutes, step in steps:
            at = EVENING + timedelta(minutes=minutes)
            yield at, lambda step=step, at=at: step(at)  # type: ignore[misc]

    def forgeries(self) -> list[Message]:
        """Told by somebody without the secrets."""
        charge = {"id": "ch_X", "object": "charge", "amount": 99900, "currency": "usd"}
        body = self.stripe.event("evt_forged", "charge.succeeded", charge, EVENING)
        sale = Sale(5001, 1001, ADA, "Lamp", Decimal("999.00"), Decimal("0.00"), EVENING)
        return [
            replace(self._stripe_message("forged", body), forged=True, headers=lambda at: _stripe(body, b"wrong", at)),
            replace(_shop_message("forged", "orders/paid", shop.order_body(sale), b"wrong"), forged=True),
        ]

    def _sale(
        self, order: int, number: int, buyer: Buyer, net: str, tax: str, at: datetime, currency: str = "USD"
    ) -> Sale:
        sale = Sale(order, number, buyer, "Lamp", Decimal(net), Decimal(tax), at, currency)
        self.sales.append(sale)
        return sale

    def _paid_order(
        self, letter: str, order: int, number: int, buyer: Buyer, net: str, tax: str, at: datetime, fee: int,
        *, customer: str = "", currency: str = "USD", converted: int = 0,
    ) -> list[Message | File]:  # fmt: skip
        sale = self._sale(order, number, buyer, net, tax, at, currency)
        charge = self.stripe.charge(
            f"ch_{letter}",
            int(sale.total * 100),
            at + timedelta(seconds=5),
            fee=fee,
            currency=currency.lower(),
            converted=converted,
            customer=customer,
            payment_intent=f"pi_{letter}",
            metadata={"order_id": str(order), "order_number": str(number)},
        )
        return [self._order(sale), self._stripe(f"evt_{letter}", "charge.succeeded", charge, at)]

    def _order_in_euro(self, at: datetime) -> list[Message | File]:
        return self._paid_order(
            "B", 5002, 1002, BERTIL, "50.00", "0.00", at, 190, customer="cus_bertil", currency="EUR", converted=5445
        )

    def _refunded(self, at: datetime) -> list[Message | File]:
        sale, net, tax = self.sales[0], Decimal("20.00"), Decimal("1.60")
        self.credit_notes.append((sale, net, tax, at))
        refund = self.stripe.refund("re_A", "ch_A", 2160, at)
        body = shop.refund_body(6001, sale, net, tax, at)
        return [
            _shop_message("A refunded", "refunds/create", body),
            self._stripe("evt_re_A", "refund.created", refund, at),
        ]

    def _disputed(self, letter: str, at: datetime) -> list[Message | File]:
        dispute = self.stripe.dispute(f"dp_{letter}", f"ch_{letter}", at, fee=1500)
        return [self._stripe(f"evt_dp_{letter}", "charge.dispute.funds_withdrawn", dispute, at)]

    def _lost(self, at: datetime) -> list[Message | File]:
        """Nothing but this message tells that the dispute is lost: it may be late, it may not be lost."""
        self.lost_disputes["dp_H"] = at
        self.stripe.dispute_closed("dp_H", "lost", at)
        told = self._stripe("evt_lost_H", "charge.dispute.closed", self.stripe.objects["dp_H"], at)
        return [replace(told, others_tell=False)]

    def _bank_order(self, at: datetime) -> list[Message | File]:
        sale = self._sale(5004, 1004, CARLA, "75.00", "6.00", at)
        self.credits.append(Credit("BR0004", sale.total, "Carla Costa", "Order 1004 thank you"))
        return [self._order(sale)]

    def _unexplained(self, at: datetime) -> list[Message | File]:
        self.stripe.movement("adj_K", "adjustment", "other_adjustment", -500, at)
        return []

    def _without_order(self, at: datetime) -> list[Message | File]:
        charge = self.stripe.charge("ch_F", 1500, at, fee=74, customer="cus_nobody")
        return [self._stripe("evt_F", "charge.succeeded", charge, at)]

    def _payout(self, payout: str, trace: str, at: datetime, leave: int = 0) -> Message:
        arrival = datetime(ARRIVAL.year, ARRIVAL.month, ARRIVAL.day, tzinfo=UTC)
        paid = self.stripe.payout(payout, at, arrival, descriptor="STRIPE", trace=trace, leave=leave)
        amount = Decimal(paid["amount"]) / 100
        self.credits.append(Credit(f"BR{trace[-4:]}", amount, "STRIPE PAYMENTS", f"STRIPE PAYOUT {trace}"))
        return self._stripe(f"evt_{payout}", "payout.paid", paid, at)

    def _reported(self, at: datetime) -> list[Message | File]:
        """The payout's movements once more, as a file that somebody downloads and uploads."""
        return [File("settlement", "stripe", ACCOUNT, "payouts.csv", report(self.stripe))]

    def _banked(self, at: datetime) -> list[Message | File]:
        self.credits.append(Credit("BR0007", Decimal("12.34"), "UNKNOWN SENDER", "see letter"))
        body = statement("STMT-2026-324", BANK_ACCOUNT, ARRIVAL, self.credits)
        return [File("statement", "bank", BANK_ACCOUNT, "statement.xml", body)]

    def _order(self, sale: Sale) -> Message:
        body = shop.order_body(sale)
        if sale.tax * 100 != sale.net * 8:
            body = body.replace(b'"rate": 0.08', b'"rate": 0.19')
        return _shop_message(f"order {sale.number}", "orders/paid", body)

    def _stripe(self, event: str, kind: str, payload: StripeObject, at: datetime) -> Message:
        """What the poll tells too."""
        return replace(self._stripe_message(event, self.stripe.event(event, kind, payload, at)), others_tell=True)

    def _stripe_message(self, title: str, body: bytes) -> Message:
        return Message(title, "stripe", ACCOUNT, body, lambda at: _stripe(body, STRIPE_SECRET, at))


def report(stripe: StripeAccount) -> bytes:
    """Stripe's itemised payout reconciliation, of all that was paid out."""
    columns = (
        "automatic_payout_id", "automatic_payout_effective_at_utc", "balance_transaction_id", "created_utc",
        "available_on_utc", "currency", "gross", "fee", "net", "reporting_category", "source_id", "charge_id",
        "payment_intent_id", "customer_id", "customer_facing_amount", "customer_facing_currency",
        "payment_metadata[order_id]", "payment_metadata[order_number]",
    )  # fmt: skip
    rows = [",".join(columns)]
    for row in stripe.transactions:
        if row["id"] not in stripe.paid_by:
            continue
        source = stripe.objects[row["source"]]
        charge = stripe.objects.get(str(source.get("charge", source["id"])), {})
        faces_customer = row["reporting_category"] in ("charge", "refund", "dispute")
        metadata = charge.get("metadata", {})
        sign = "-" if row["amount"] < 0 else ""
        values = (
            stripe.paid_by[row["id"]], ARRIVAL.isoformat(), row["id"], _utc(row["created"]), _utc(row["available_on"]),
            row["currency"], _decimal(row["amount"]), _decimal(row["fee"]), _decimal(row["net"]),
            row["reporting_category"], row["source"], charge.get("id", "") if faces_customer else "",
            charge.get("payment_intent") or "", charge.get("customer") or "",
            sign + _decimal(source["amount"]) if faces_customer else "", source["currency"] if faces_customer else "",
            metadata.get("order_id", ""), metadata.get("order_number", ""),
        )  # fmt: skip
        rows.append(",".join(values))
    return "\n".join(rows).encode() + b"\n"


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _decimal(cents: int) -> str:
    return str(Decimal(cents) / 100)


def _shop_message(title: str, topic: str, body: bytes, secret: bytes = SHOPIFY_SECRET) -> Message:
    return Message(title, "shopify", SHOP, body, lambda at: shop.headers(topic, body, secret, f"{title} {at}"))


def _stripe(body: bytes, secret: bytes, at: datetime) -> Header:
    return {"content-type": "application/json", "stripe-signature": sign(body, secret, at)}
