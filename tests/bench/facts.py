"""Canonical events as the gateway hands them on, seeded: card charges with their fee, and the orders they pay for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from libs.events import (
    BalanceTransaction,
    Channel,
    CommercialDocument,
    DocumentLine,
    Event,
    EventKind,
    FeeDetail,
    LineKind,
    Party,
    Provenance,
    Reference,
    ReferenceKind,
    TaxLine,
    TransactionIds,
    event_name,
)
from libs.money import Money

MORNING = datetime(2026, 3, 15, 9, tzinfo=UTC)
PROVIDER = "stripe"
ACCOUNT = "acct_1"
SHOP = "shop-1"
COMPANY = "acme"
PRICES = ((2500, 200), (5000, 400), (10000, 800), (25000, 2000))  # net and its tax of 8 %, in cents


@dataclass(frozen=True, slots=True)
class Charges:
    """`customers` many customers, of whom a fifth buy again and again."""

    seed: int = 7
    customers: int = 1000
    hot_share: float = 0.2

    def events(self, first: int, count: int) -> list[Event]:
        """Charges `first` to `first + count - 1`, the same for the same seed."""
        return [self._charge(number) for number in range(first, first + count)]

    def sales(self, first: int, count: int) -> list[Event]:
        """The orders of those numbers, each followed by the charge that pays it."""
        return [
            event for number in range(first, first + count) for event in (self._order(number), self._charge(number))
        ]

    def _charge(self, number: int) -> Event:
        rng, customer, (net, tax) = self._drawn(number)
        issuer = f"{PROVIDER}/{ACCOUNT}"
        amount = Money("USD", net + tax)
        fee = Money("USD", amount.minor_units * 29 // 1000 + 30)
        object_id = f"txn_b{number}"
        return Event(
            name=event_name(PROVIDER, ACCOUNT, object_id),
            kind=EventKind.CAPTURE,
            company=COMPANY,
            object_id=object_id,
            effective_at=_instant(number),
            amount=amount,
            body=BalanceTransaction(
                amount, fee, None, None, "charge", f"ch_b{number}", f"cus_{customer}", (FeeDetail("processing", fee),)
            ),
            provenance=_source(PROVIDER, ACCOUNT, "balance_transaction", object_id, f"evt_b{number}"),
            transaction_id=TransactionIds(lambda: MORNING, rng)(),
            references=(
                Reference(ReferenceKind.ORDER, str(7_000_000 + number)),
                Reference(ReferenceKind.PAYMENT, f"ch_b{number}", issuer),
                Reference(ReferenceKind.PAYMENT, f"pi_b{number}", issuer),
                Reference(ReferenceKind.CUSTOMER, f"cus_{customer}", issuer),
            ),
        )

    def _order(self, number: int) -> Event:
        rng, customer, (net, tax) = self._drawn(number)
        rng.random()  # an order's transaction is not its charge's
        issuer = f"shopify/{SHOP}"
        object_id = str(7_000_000 + number)
        taxed = (TaxLine("State Tax", "0.08", Money("USD", tax)),)
        line = DocumentLine(LineKind.PRODUCT, "Lamp", Money("USD", net), sku="LAMP-1", taxes=taxed)
        amount = Money("USD", net + tax)
        return Event(
            name=event_name("shopify", SHOP, f"order-{object_id}-paid"),
            kind=EventKind.DOCUMENT,
            company=COMPANY,
            object_id=object_id,
            effective_at=_instant(number),
            amount=amount,
            body=CommercialDocument.sold(str(number), Party(str(customer), issuer), (line,), amount, Money("USD", tax)),
            provenance=_source("shopify", SHOP, "order", object_id, f"whk_b{number}"),
            transaction_id=TransactionIds(lambda: MORNING, rng)(),
            references=(
                Reference(ReferenceKind.ORDER, object_id),
                Reference(ReferenceKind.CUSTOMER, str(customer), issuer),
            ),
        )

    def _drawn(self, number: int) -> tuple[random.Random, int, tuple[int, int]]:
        """Randomness of this number alone, its customer and its price."""
        rng = random.Random(self.seed << 40 | number)
        hot = rng.random() < self.hot_share
        return rng, rng.randrange(10) if hot else rng.randrange(self.customers), rng.choice(PRICES)


def _instant(number: int) -> datetime:
    return MORNING - timedelta(seconds=number % 40_000)


def _source(provider: str, account: str, kind: str, object_id: str, delivery: str) -> Provenance:
    return Provenance(
        provider,
        account,
        kind,
        object_id,
        MORNING,
        Channel.WEBHOOK,
        source_event_id=delivery,
        delivery=f"sources/{provider}/accounts/{account}/deliveries/{delivery}",
        raw_sha256="0" * 64,
        translator=f"{provider}/1",
    )


def gross_of(events: Sequence[Event]) -> int:
    """The sum of their amounts, in minor units."""
    return sum(event.amount.minor_units for event in events)
