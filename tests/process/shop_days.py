"""Many small sales, told by signed webhooks of both partners, and the books that they must give."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from cli.demo.day import ACCOUNT, ADA, BERTIL, CARLA, MORNING, SHOP, Post
from cli.demo.shop import Sale, headers, order_body
from providers.stripe.fake_account import StripeAccount

SHOPIFY_SECRET = b"a secret of the tests' shop only"
STRIPE_SECRET = b"a secret of the tests' provider"
BUYERS = ((ADA, "cus_ada"), (BERTIL, "cus_bertil"), (CARLA, "cus_carla"))
FEE = 59  # minor units, of each charge


@dataclass
class Sales:
    """`count` sales of 10.00 + 0.80; each told by two webhooks, and each webhook sent twice."""

    count: int
    stripe: StripeAccount = field(default_factory=lambda: StripeAccount(ACCOUNT))

    def posts(self) -> list[Post]:
        made = []
        for number in range(self.count):
            buyer, customer = BUYERS[number % len(BUYERS)]
            at = MORNING + timedelta(seconds=number)
            sale = Sale(10_000 + number, 2_000 + number, buyer, "Cup", Decimal("10.00"), Decimal("0.80"), at)
            body = order_body(sale)
            proof = headers("orders/paid", body, SHOPIFY_SECRET, f"wh-{number}")
            made.append(Post("shopify", SHOP, f"order {number}", body, proof))
            metadata = {"order_id": str(sale.order_id), "order_number": str(sale.number)}
            charge = self.stripe.charge(f"ch_{number}", 1080, at, fee=FEE, customer=customer, metadata=metadata)
            now = datetime.now(UTC)
            webhook = self.stripe.webhook(f"evt_{number}", "charge.succeeded", charge, now, STRIPE_SECRET)
            made.append(Post("stripe", ACCOUNT, f"charge {number}", webhook.body, webhook.headers))
        return [post for post in made for _ in range(2)]

    def balance(self) -> dict[str, Decimal]:
        """Every receipt closes its invoice."""
        return {
            "CLR": Decimal(1080 - FEE) * self.count / 100,
            "FEE": Decimal(FEE) * self.count / 100,
            "REV": Decimal("-10.00") * self.count,
            "TAX": Decimal("-0.80") * self.count,
        }

    @property
    def documents(self) -> int:
        """Invoice, receipt and fee of each sale."""
        return 3 * self.count
