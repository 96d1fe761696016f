"""Canonical events as the gateway hands them on: card charges with their fee and four references, seeded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from libs.events import (
    BalanceTransaction,
    Channel,
    Event,
    EventKind,
    FeeDetail,
    Provenance,
    Reference,
    ReferenceKind,
    event_name,
)
from libs.money import Money

MORNING = datetime(2026, 3, 15, 9, tzinfo=UTC)
PROVIDER = "stripe"
ACCOUNT = "acct_1"
COMPANY = "acme"


@dataclass(frozen=True, slots=True)
class Charges:
    """`customers` many customers, of whom a fifth buy again and again."""

    seed: int = 7
    customers: int = 1000
    hot_share: float = 0.2

    def events(self, first: int, count: int) -> list[Event]:
        """Charges `first` to `first + count - 1`, the same for the same seed."""
        return [self._event(number) for number in range(first, first + count)]

    def _event(self, number: int) -> Event:
        rng = random.Random(self.seed << 40 | number)
        hot = rng.random() < self.hot_share
        customer = f"cus_{rng.randrange(10) if hot else rng.randrange(self.customers)}"
        issuer = f"{PROVIDER}/{ACCOUNT}"
        gross = rng.choice((1999, 4900, 10800, 25000)) + rng.randrange(100)
        fee = Money("USD", gross * 29 // 1000 + 30)
        object_id = f"txn_b{number}"
        amount = Money("USD", gross)
        return Event(
            name=event_name(PROVIDER, ACCOUNT, object_id),
            kind=EventKind.CAPTURE,
            company=COMPANY,
            object_id=object_id,
            effective_at=MORNING - timedelta(seconds=number % 40_000),
            amount=amount,
            body=BalanceTransaction(
                amount, fee, None, None, "charge", f"ch_b{number}", customer, (FeeDetail("processing", fee),)
            ),
            provenance=Provenance(
                PROVIDER, ACCOUNT, "balance_transaction", object_id, MORNING, Channel.WEBHOOK,
                source_event_id=f"evt_b{number}", raw_sha256="0" * 64, translator="stripe/1",
                delivery=f"sources/{PROVIDER}/accounts/{ACCOUNT}/deliveries/evt_b{number}",
            ),
            references=(
                Reference(ReferenceKind.ORDER, str(7_000_000 + number)),
                Reference(ReferenceKind.PAYMENT, f"ch_b{number}", issuer),
                Reference(ReferenceKind.PAYMENT, f"pi_b{number}", issuer),
                Reference(ReferenceKind.CUSTOMER, customer, issuer),
            ),
        )  # fmt: skip


def gross_of(events: Sequence[Event]) -> int:
    """The sum of their amounts, in minor units."""
    return sum(event.amount.minor_units for event in events)
