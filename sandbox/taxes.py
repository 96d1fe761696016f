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


def of_line(env: Env, subtotal: Decimal, tax_ids: Sequence[int], refund: bool) -> list[TaxShare]:
    """The tax shares of a line with a net price."""
    found = env.store.get_all("account_tax", list(tax_ids)).values()
    shares: list[TaxShare] = []
    for tax in sorted(found, key=lambda tax: (tax["sequence"], tax["id"])):
        included = tax["price_include_override"] == "tax_included"
        if included or tax["include_base_amount"] or tax["amount_type"] != "percent":
            raise beyond_the_sandbox("taxes other than a percentage of the net price")
        amount = subtotal * Decimal(repr(tax["amount"])) / 100
        for line in _distribution(env, tax["id"], refund):
            share = amount * Decimal(repr(line["factor_percent"])) / 100
            shares.append(TaxShare(tax["id"], tax["name"], line["id"], line["account_id"], share, subtotal))
    return shares


def _distribution(env: Env, tax_id: int, refund: bool) -> list[Row]:
    kind = "refund" if refund else "invoice"
    return env.store.where(
        "account_tax_repartition_line", "sequence, id", tax_id=tax_id, document_type=kind, repartition_type="tax"
    )
