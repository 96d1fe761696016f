"""A shop's day with two currencies: a superset of the reference day of the accounting table.

| | what happens | what it shows |
| --- | --- | --- |
| A | 100.00 + 8.00 tax, paid by card, 20.00 + 1.60 refunded | invoice, receipt, credit note, refund |
| B | EUR 50.00, booked 55.00, settled 54.45 | an exchange difference |
| C | 40.00 + 3.20, paid by card, then disputed (fee 15.00) | disputed money |
| D | 75.00 + 6.00, paid by bank transfer | a bank line that closes an invoice |
| E | 25.00 + 2.00, paid by card after the payout | a charge still pending |
| F | 15.00 by card that no order explains | a difference with an owner |
| G | 12.34 at the bank that nothing explains | a difference with an owner |

`reference_only` plays A, B, C and their payout alone: the table's own day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from providers.stripe.fake_account import StripeAccount, StripeObject

from .shop import Buyer, Sale, headers, order_body, refund_body
from .statement import Credit, statement

SHOP = "shop-1"
ACCOUNT = "acct_demo"
BANK_ACCOUNT = "US64SVBKUS6S3300958879"
MORNING = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)  # 10:00 in New York
ARRIVAL = date(2026, 11, 20)
ADA = Buyer(7001, "Ada", "Archer")
BERTIL = Buyer(7002, "Bertil", "Berg", "SE")
CARLA = Buyer(7003, "Carla", "Costa")


@dataclass(frozen=True, slots=True)
class Post:
    """One HTTP delivery by a partner. `expect` is the status the partner must get."""

    provider: str
    account: str
    title: str  # for people who watch
    body: bytes
    headers: dict[str, str]
    expect: int = 202


@dataclass
class Day:
    """All that the partners will send and serve. `inputs` are the same facts as files, for an independent count."""

    shopify_secret: bytes
    stripe_secret: bytes
    reference_only: bool = False
    stripe: StripeAccount = field(default_factory=lambda: StripeAccount(ACCOUNT))
    sales: list[Sale] = field(default_factory=list)
    refunds: list[bytes] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._happen()

    def statement(self) -> bytes:
        return statement("STMT-2026-324", BANK_ACCOUNT, ARRIVAL, self.credits)

    def _happen(self) -> None:
        a = self._sale(5001, 1001, ADA, "Lamp", "100.00", "8.00", minutes=0)
        b = self._sale(5002, 1002, BERTIL, "Chair", "50.00", "0.00", minutes=20, currency="EUR")
        c = self._sale(5003, 1003, CARLA, "Rug", "40.00", "3.20", minutes=40)
        charge_a = self._charge("ch_A", a, "cus_ada", 343)
        self._stripe("evt_A", "charge.succeeded", charge_a, "A: card payment")
        self._order(a, "A: order paid")
        self._order(b, "B: order paid in EUR")
        self._forged()
        self._stripe("evt_B", "charge.succeeded", self._charge("ch_B", b, "cus_bertil", 190, converted=5445), "B: card")
        charge_c = self._charge("ch_C", c, "cus_carla", 155)
        # Out of order: the refund of A and the dispute of C are told before C's order and payment.
        at = MORNING + timedelta(hours=3)
        refund = self.stripe.refund("re_A", "ch_A", 2160, at)
        self._stripe("evt_refund_A", "refund.created", refund, "A: part refunded")
        body = refund_body(6001, a, Decimal("20.00"), Decimal("1.60"), at)
        self.refunds.append(body)
        self._shopify("refunds/create", body, "A: credit note")
        dispute = self.stripe.dispute("dp_C", "ch_C", at + timedelta(hours=1), fee=1500)
        self._stripe("evt_dispute_C", "charge.dispute.funds_withdrawn", dispute, "C: disputed")
        self._order(c, "C: order paid, told late")
        self._stripe("evt_C", "charge.succeeded", charge_c, "C: card payment, told late")
        self._payout("po_day", "7700118970")
        if not self.reference_only:
            self._widen()
        self._duplicates()

    def _widen(self) -> None:
        d = self._sale(5004, 1004, CARLA, "Shelf", "75.00", "6.00", minutes=120, gateway="bank transfer")
        self._order(d, "D: order, paid by bank transfer")
        self.credits.append(Credit("BR0004", d.total, "Carla Costa", "Order 1004 thank you"))
        lone = self.stripe.charge("ch_F", 1500, MORNING + timedelta(hours=5), fee=74, customer="cus_nobody")
        self._stripe("evt_F", "charge.succeeded", lone, "F: a card payment without an order")
        self._payout("po_lone", "7700014260")
        e = self._sale(5005, 1005, ADA, "Vase", "25.00", "2.00", minutes=400)
        self._order(e, "E: order paid")
        self._stripe("evt_E", "charge.succeeded", self._charge("ch_E", e, "cus_ada", 108), "E: card, still pending")
        self.credits.append(Credit("BR0007", Decimal("12.34"), "UNKNOWN SENDER", "see letter"))

    def _sale(
        self, order_id: int, number: int, buyer: Buyer, article: str, net: str, tax: str, *, minutes: int,
        currency: str = "USD", gateway: str = "stripe",
    ) -> Sale:  # fmt: skip
        at = MORNING + timedelta(minutes=minutes)
        sale = Sale(order_id, number, buyer, article, Decimal(net), Decimal(tax), at, currency, gateway)
        self.sales.append(sale)
        return sale

    def _charge(self, charge: str, sale: Sale, customer: str, fee: int, converted: int = 0) -> StripeObject:
        return self.stripe.charge(
            charge,
            int(sale.total * 100),
            sale.at + timedelta(seconds=5),
            fee=fee,
            currency=sale.currency.lower(),
            converted=converted,
            customer=customer,
            payment_intent=f"pi_{charge[3:]}",
            metadata={"order_id": str(sale.order_id), "order_number": str(sale.number)},
        )

    def _payout(self, payout: str, trace: str) -> None:
        arrival = datetime(ARRIVAL.year, ARRIVAL.month, ARRIVAL.day, tzinfo=UTC)
        paid = self.stripe.payout(payout, MORNING + timedelta(hours=6), arrival, descriptor="STRIPE", trace=trace)
        self._stripe(f"evt_{payout}", "payout.paid", paid, f"payout {payout}")
        amount = Decimal(paid["amount"]) / 100
        self.credits.append(Credit(f"BR{trace[-4:]}", amount, "STRIPE PAYMENTS", f"STRIPE PAYOUT {trace}"))

    def _order(self, sale: Sale, title: str) -> None:
        self._shopify("orders/paid", order_body(sale), title)

    def _shopify(self, topic: str, body: bytes, title: str) -> None:
        proof = headers(topic, body, self.shopify_secret, f"wh-{len(self.posts)}")
        self.posts.append(Post("shopify", SHOP, title, body, proof))

    def _stripe(self, event: str, kind: str, payload: StripeObject, title: str) -> None:
        # Signed when it is sent, not when it happened: the signature is good for five minutes.
        webhook = self.stripe.webhook(event, kind, payload, datetime.now(UTC), self.stripe_secret)
        self.posts.append(Post("stripe", ACCOUNT, title, webhook.body, webhook.headers))

    def _forged(self) -> None:
        """Somebody without the secret tells of a payment and an order."""
        body = self.stripe.event("evt_forged", "charge.succeeded", {"id": "ch_X", "object": "charge"}, MORNING)
        self.posts.append(
            Post("stripe", ACCOUNT, "forged: no valid signature", body, {"stripe-signature": "t=1,v1=00"}, 401)
        )
        fake = self.sales[0]
        body = order_body(fake).replace(b'"100.00"', b'"999.00"')
        proof = headers("orders/paid", body, b"not the secret", "wh-forged")
        self.posts.append(Post("shopify", SHOP, "forged: another's secret", body, proof, 401))

    def _duplicates(self) -> None:
        """The same deliveries again, one of them under another delivery id."""
        first, order = self.posts[0], self.posts[1]
        self.posts.append(Post(first.provider, first.account, "A: card payment, sent again", first.body, first.headers))
        again = {**order.headers, "x-shopify-webhook-id": "wh-again"}
        self.posts.append(Post(order.provider, order.account, "A: order, again under another id", order.body, again))
