"""Shopify's amounts: decimal texts, beside them `…_set` with the shop's money and the customer's (presentment).

A document is in the currency that the customer was charged in, for that is what they owe and what the payment
provider will show. All its amounts are taken in that currency, or the document is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from libs.events import Adjustment, AdjustmentKind, Collector, TaxLine
from libs.money import Money, exponent_of
from providers.errors import AmountInvalid
from providers.reading import Shape


def currency_of(code: str) -> str:
    """The code itself; raises `UnknownCurrency`."""
    exponent_of(code)
    return code


def amount(shape: Shape, key: str, document: str, plain: str) -> Money:
    """The amount in the document's currency. `plain` is the currency of the field without a set; nothing is nothing."""
    both = shape.maybe_shape(f"{key}_set")
    if both is not None:
        for side in ("presentment_money", "shop_money"):
            found = both.maybe_shape(side)
            if found and found.maybe_text("currency_code") == document:
                return found.decimal_money("amount", document)
    else:
        found_plain = shape.decimal_money(key, plain)
        if plain == document or not found_plain:
            return Money(document, found_plain.minor_units)
    raise AmountInvalid(f"{shape.path}.{key} is not given in {document}", field=f"{shape.path}.{key}")


def maybe_amount(shape: Shape, key: str, document: str, plain: str) -> Money:
    """Zero where the field is absent."""
    known = shape.has(key) or shape.has(f"{key}_set")
    return amount(shape, key, document, plain) if known else Money.zero(document)


def total(amounts: Iterable[Money], document: str) -> Money:
    return sum(amounts, Money.zero(document))


def tax_lines(shape: Shape, document: str, plain: str) -> tuple[TaxLine, ...]:
    """The taxes that a line bears, and who owes each; those of nothing are left out."""
    found: list[TaxLine] = []
    for tax in shape.shapes("tax_lines"):
        collector = Collector.MARKETPLACE if tax.maybe_flag("channel_liable") else Collector.SELLER
        owed = amount(tax, "price", document, plain)
        if owed:
            found.append(TaxLine(tax.maybe_text("title"), tax.rate("rate"), owed, collector=collector))
    return tuple(found)


def allowances(shape: Shape, document: str, plain: str) -> tuple[Adjustment, ...]:
    """What is taken off a line, order-wide codes included; older messages only tell the line's own."""
    allocations = shape.shapes("discount_allocations")
    taken = [amount(allocation, "amount", document, plain) for allocation in allocations]
    if not allocations:
        taken = [maybe_amount(shape, "total_discount", document, plain)]
    return tuple(Adjustment(AdjustmentKind.ALLOWANCE, each) for each in taken if each)


def shared(taxes: tuple[TaxLine, ...], tax: Money) -> tuple[TaxLine, ...]:
    """`tax` spread over the taxes of a whole line in their proportion, the last one taking the remainder."""
    if not tax:
        return ()
    whole = sum(line.amount.minor_units for line in taxes)
    if not whole:
        # Nobody says which tax it is; the ledger will ask.
        return (TaxLine("", "", tax),)
    parts: list[TaxLine] = []
    left = tax
    for line in taxes[:-1]:
        part = tax.share(line.amount.minor_units, whole)
        parts.append(replace(line, amount=part))
        left = left - part
    return (*parts, replace(taxes[-1], amount=left))
