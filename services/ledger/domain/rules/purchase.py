"""Purchases: what a supplier's invoice and its credit note need beside the tables they share with sales.

The supplier computed the taxes: what the bill states of each, by line and by category, is compared with what its lines
and rates give before anything goes to Odoo, and Odoo's own sums are read back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal

from libs.events import CommercialDocument, Direction, DocumentLine, Event, Reference, ReferenceKind, TaxLine
from libs.money import Money

from ..document import Document
from ..errors import Unbuildable
from ..master import PartyWord
from .books import Books

Category = tuple[str, Decimal]  # code, empty where a line bears none, and rate
SupplierNumber = tuple[int, tuple[str, ...]]  # the commercial partner's id in Odoo, and the number's parts
_PART = re.compile(r"[^\W\d_]+|\d+")


def own_references(event: Event) -> tuple[Reference, ...]:
    """What joins a bill and its credit notes to one story, whatever the source says: the object that is the bill."""
    body = event.body
    if not isinstance(body, CommercialDocument) or body.direction is not Direction.PURCHASE:
        return ()
    bill = body.corrects.object_id if body.corrects else ""
    return (Reference(ReferenceKind.ORDER, bill or event.object_id, f"{event.interface}/bills"),)


def supplier_word(books: Books, body: CommercialDocument) -> PartyWord:
    """Whose bill it is. Raises `Unbuildable` where it does not say: money may wait for the name of who paid it, but a
    debt is somebody's, so there is no unidentified supplier."""
    seller = body.seller
    if seller is None or not seller.external_id:
        raise Unbuildable("SUPPLIER_UNKNOWN", "the bill names no supplier by an external id")
    return PartyWord(seller.issuer or books.event.interface, seller.external_id)


def check_bill(body: CommercialDocument, lines: Iterable[DocumentLine]) -> None:
    """Raises `Unbuildable` for a bill without number, and where a stated tax does not follow from its lines."""
    if not body.number:
        raise Unbuildable("SUPPLIER_NUMBER_MISSING", "the bill does not bear its supplier's number")
    taxed = [(line.net, tax) for line in lines for tax in line.taxes]
    for net, tax in taxed:
        _compare(tax, net, tax_of(net, tax), cents=1)
    category_of = _categories(tax for _, tax in taxed)
    by_category: dict[Category, list[tuple[Money, TaxLine]]] = defaultdict(list)
    for net, tax in taxed:
        by_category[category_of(tax)].append((net, tax))
    zero = Money.zero(body.totals.gross.currency)
    for stated in body.taxes:
        mine = by_category[category_of(stated)]
        base = sum((net for net, _ in mine), zero)
        _compare(stated, base, sum((tax_of(net, tax) for net, tax in mine), zero), cents=len(mine))


def number_parts(number: str) -> tuple[str, ...]:
    """The runs of letters and of digits, in lower case: numbers of the same parts are one to whoever reads them.

    What stands between the parts says nothing (`RE 2026/1`, `re-2026-1`), but that they are parts does: `1-23` is not
    `12-3`, nor `01` `1`. A number without letters and digits is its own only part.
    """
    return tuple(_PART.findall(number.lower())) or (number.strip(),)


def supplier_number(bill: Document) -> SupplierNumber:
    return bill.party.commercial_odoo_id if bill.party else 0, number_parts(bill.origin)


def tax_of(net: Money, tax: TaxLine) -> Money:
    """As Odoo computes it: rounded by the line, half away from zero."""
    exact = Decimal(net.minor_units) * Decimal(tax.rate)
    return Money(net.currency, int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def _categories(taxes: Iterable[TaxLine]) -> Callable[[TaxLine], Category]:
    """How taxes are told apart: by their rates alone where a line does not bear its category."""
    coded = all(tax.category for tax in taxes)
    return lambda tax: (tax.category if coded else "", Decimal(tax.rate or 0))


def _compare(stated: TaxLine, base: Money, amount: Money, cents: int) -> None:
    if stated.base is not None and stated.base != base:
        raise Unbuildable("TAX_BASE_DIFFERS", "a tax's stated base is not what its lines add up to")
    if abs((stated.amount - amount).minor_units) > cents:
        raise Unbuildable("TAX_DIFFERS", "a stated tax is not what its rate gives, by more than a cent a tax line")
