"""Taxes of a document's lines, distributed over accounts as the tax says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .env import Env
from .failures import beyond_the_sandbox
from .store import Row


@dataclass(frozen=True, slots=True)
class TaxShare:
    """One line's share of one tax on one distribution line; amounts in the document's currency."""

    tax_id: int
    tax_name: str
    repartition_id: int
    account_id: int | None  # None: the tax goes onto the line's own account, silently
    amount: Decimal
    base: Decimal


def of_line(env: Env, subtotal: Decimal, tax_ids: Sequence[int], refund: bool) -> tuple[Decimal, list[TaxShare]]:
    """The untaxed subtotal and the tax parts of a line whose prices may include some of them."""
    taxes = sorted(
        env.store.get_all("account_tax", list(tax_ids)).values(), key=lambda tax: (tax["sequence"], tax["id"])
    )
    included = [tax for tax in taxes if tax["price_include_override"] == "tax_included"]
    base = _without(subtotal, included)
    parts: list[TaxShare] = []
    running = base
    for tax in taxes:
        amount = _amount(tax, running)
        for line in _distribution(env, tax["id"], refund):
            share = amount * Decimal(repr(line["factor_percent"])) / 100
            parts.append(TaxShare(tax["id"], tax["name"], line["id"], line["account_id"], share, running))
        if tax["include_base_amount"]:
            running += amount
    return base, parts


def _without(subtotal: Decimal, included: list[Row]) -> Decimal:
    """The price without the taxes it contains."""
    if not included:
        return subtotal
    fixed = sum((Decimal(repr(tax["amount"])) for tax in included if tax["amount_type"] == "fixed"), Decimal(0))
    percent = sum((Decimal(repr(tax["amount"])) for tax in included if tax["amount_type"] == "percent"), Decimal(0))
    return (subtotal - fixed) / (1 + percent / 100)


def _amount(tax: Row, base: Decimal) -> Decimal:
    rate = Decimal(repr(tax["amount"]))
    if tax["amount_type"] == "percent":
        return base * rate / 100
    if tax["amount_type"] == "fixed":
        return rate
    if tax["amount_type"] == "division":
        return base / (1 - rate / 100) - base
    raise beyond_the_sandbox("groups of taxes")


def _distribution(env: Env, tax_id: int, refund: bool) -> list[Row]:
    kind = "refund" if refund else "invoice"
    return env.store.where(
        "account_tax_repartition_line", "sequence, id", tax_id=tax_id, document_type=kind, repartition_type="tax"
    )
