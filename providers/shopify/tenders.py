"""What paid a Shopify order, by the names of its gateways. Only the name of the gateway says what it was."""

from __future__ import annotations

from libs.events import Tender, TenderKind
from libs.money import Money
from providers.reading import Shape

# Gateways that no payment provider reports; any other one does.
_KINDS = {
    "bank deposit": TenderKind.BANK_TRANSFER,
    "cash": TenderKind.CASH,
    "cash on delivery (cod)": TenderKind.CASH,
    "gift_card": TenderKind.GIFT_CARD,
    "money order": TenderKind.BANK_TRANSFER,
    "shopify_store_credit": TenderKind.STORE_CREDIT,
    "store_credit": TenderKind.STORE_CREDIT,
}


def tenders(body: Shape, owed: Money) -> tuple[Tender, ...]:
    """A part for each gateway. An order tells no amounts of its parts: only one alone is known to pay it all."""
    names = body.texts("payment_gateway_names")
    alone = owed if len(names) == 1 else None
    return tuple(Tender(_KINDS.get(name.lower(), TenderKind.PROVIDER), alone) for name in names)
