"""A Stripe balance transaction as a canonical event: the same event and digest, by webhook, poll or report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from libs.events import (
    BalanceTransaction,
    Event,
    FeeDetail,
    Provenance,
    Reference,
    ReferenceKind,
    event_name,
)
from libs.money import Money

from .words import PRESENTED, kind_of

PROVIDER = "stripe"

_KIND_OF_ID = {
    "ch": ReferenceKind.PAYMENT,
    "py": ReferenceKind.PAYMENT,
    "pi": ReferenceKind.PAYMENT,
    "re": ReferenceKind.REFUND,
    "pyr": ReferenceKind.REFUND,
    "dp": ReferenceKind.DISPUTE,
    "du": ReferenceKind.DISPUTE,
    "po": ReferenceKind.PAYOUT,
    "cus": ReferenceKind.CUSTOMER,
    "in": ReferenceKind.INVOICE,
    "txn": ReferenceKind.BALANCE_TRANSACTION,
}


@dataclass(frozen=True, slots=True)
class StripeTransaction:
    """One balance transaction, whichever channel told of it.

    `gross` and `fee` are signed as Stripe signs them. `customer_paid` is the amount of the charge, refund or dispute
    behind it, in that object's currency, with any sign; None where it has none.
    """

    id: str
    category: str  # see `stripe_words.category_of`
    provider_type: str
    source_id: str
    gross: Money
    fee: Money
    created: datetime  # aware
    available_on: date | None = None
    customer_paid: Money | None = None
    customer_id: str = ""
    fee_details: tuple[FeeDetail, ...] = ()
    references: tuple[Reference, ...] = ()


def balance_transaction_event(
    transaction: StripeTransaction, *, company: str, account: str, provenance: Provenance, transaction_id: str = ""
) -> Event:
    """The money event of one balance transaction; raises `EventInvalid` where it contradicts itself."""
    gross = transaction.gross
    return Event(
        name=event_name(PROVIDER, account, transaction.id),
        kind=kind_of(transaction.category, gross),
        company=company,
        object_id=transaction.id,
        effective_at=transaction.created.replace(microsecond=0),
        amount=gross,
        body=BalanceTransaction(
            gross=gross,
            fee=transaction.fee,
            presentment=_presentment(transaction),
            available_on=transaction.available_on,
            provider_type=transaction.provider_type or transaction.category,
            source_id=transaction.source_id,
            customer_id=transaction.customer_id,
            fee_details=transaction.fee_details,
        ),
        provenance=provenance,
        transaction_id=transaction_id,
        references=_references(transaction, f"{PROVIDER}/{account}"),
    )


def stripe_reference(object_id: str, issuer: str) -> Reference | None:
    """What kind of object an id of Stripe's names, by its prefix; None for one that joins nothing."""
    kind = _KIND_OF_ID.get(object_id.partition("_")[0])
    return Reference(kind, object_id, issuer) if kind and "_" in object_id else None


def order_references(metadata: dict[str, str]) -> tuple[Reference, ...]:
    """The shop's order, where the shop wrote it into the payment. Nobody vouches for it: no issuer."""
    found = (metadata.get(key, "").strip().removeprefix("#") for key in ("order_id", "order_number"))
    return tuple(Reference(ReferenceKind.ORDER, value) for value in dict.fromkeys(found) if value)


def _presentment(transaction: StripeTransaction) -> Money | None:
    paid, gross = transaction.customer_paid, transaction.gross
    if paid is None or paid.currency == gross.currency or transaction.category not in PRESENTED:
        return None
    return Money(paid.currency, -abs(paid.minor_units) if gross.minor_units < 0 else abs(paid.minor_units))


def _references(transaction: StripeTransaction, issuer: str) -> tuple[Reference, ...]:
    own = [stripe_reference(name, issuer) for name in (transaction.source_id, transaction.customer_id)]
    known = [
        Reference(ReferenceKind.BALANCE_TRANSACTION, transaction.id, issuer),
        *(reference for reference in own if reference),
    ]
    return tuple(dict.fromkeys([*transaction.references, *known]))
