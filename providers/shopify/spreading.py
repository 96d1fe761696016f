"""Orders made through the API state discounts and taxes for the whole order only: they are spread over its lines.

Only where it comes out: a discount must be what is missing, a tax what its rate gives. Else the lines stay as they
are, and the order is refused for its total.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from libs.events import Adjustment, AdjustmentKind, DocumentLine, LineKind, TaxLine
from libs.money import Money

Lines = tuple[DocumentLine, ...]


def with_order_discount(lines: Lines, discount: Money, net: Money) -> Lines:
    """`net` is the order's, without tax. The discount is of the articles; shipping bears none."""
    if not discount or any(line.adjustments for line in lines):
        return lines
    if sum((line.net for line in lines), -discount) != net:
        return lines
    articles = [number for number, line in enumerate(lines) if line.kind is LineKind.PRODUCT]
    found = list(lines)
    for number, part in zip(articles, _parts([lines[each].net for each in articles], discount), strict=True):
        allowance = Adjustment(AdjustmentKind.ALLOWANCE, part)
        if part:
            found[number] = replace(lines[number], net=lines[number].net - part, adjustments=(allowance,))
    return tuple(found)


def with_order_taxes(lines: Lines, taxes: tuple[TaxLine, ...]) -> Lines:
    """The taxes on all lines if that is what their rates give, else on the articles alone."""
    if not taxes or any(line.taxes for line in lines):
        return lines
    for kinds in (tuple(LineKind), (LineKind.PRODUCT,)):
        taxed = [number for number, line in enumerate(lines) if line.kind in kinds and line.net]
        nets = [lines[number].net for number in taxed]
        if not taxed or not all(_fits(nets, tax) for tax in taxes):
            continue
        found = list(lines)
        for tax in taxes:
            for number, part in zip(taxed, _parts(nets, tax.amount), strict=True):
                found[number] = replace(found[number], taxes=(*found[number].taxes, replace(tax, amount=part)))
        return tuple(found)
    return lines


def _fits(nets: list[Money], tax: TaxLine) -> bool:
    """Whether the rate on these amounts gives the tax, but for a cent a line."""
    exact = sum(each.minor_units for each in nets) * Decimal(tax.rate or "0")
    return abs(exact - tax.amount.minor_units) <= len(nets)


def _parts(nets: list[Money], whole: Money) -> list[Money]:
    """`whole` in the proportion of the amounts, the last one taking the remainder; nothing where they are none."""
    base = sum(each.minor_units for each in nets)
    if not base:
        return [Money.zero(whole.currency) for _ in nets]
    parts = [whole.share(each.minor_units, base) for each in nets[:-1]]
    return [*parts, whole - sum(parts, Money.zero(whole.currency))]
