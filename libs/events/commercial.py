"""The commercial document: an invoice, a credit or debit note of EN 16931, whoever states it.

Field meanings and BT numbers: `protos/concord/events/v1/commerce.proto`. A field that the source did not state is
empty or None; a total that it did state must follow from its lines, or the document cannot exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from libs.money import Money

from .errors import EventInvalid


class DocumentKind(Enum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"


class Direction(Enum):
    SALE = "sale"
    PURCHASE = "purchase"


class NumberIssuer(Enum):
    BOOKS = "books"
    SOURCE = "source"


class LineKind(Enum):
    PRODUCT = "product"
    SHIPPING = "shipping"
    GIFT_CARD = "gift_card"
    SERVICE = "service"
    DUTY = "duty"
    FEE = "fee"
    TIP = "tip"
    DEPOSIT = "deposit"
    ROUNDING = "rounding"


class Collector(Enum):
    """Who collects a tax and owes it."""

    SELLER = "seller"
    MARKETPLACE = "marketplace"
    BUYER = "buyer"


class AdjustmentKind(Enum):
    ALLOWANCE = "allowance"
    CHARGE = "charge"


class TenderKind(Enum):
    PROVIDER = "provider"
    BANK_TRANSFER = "bank_transfer"
    GIFT_CARD = "gift_card"
    CASH = "cash"
    STORE_CREDIT = "store_credit"
    POINTS = "points"


class DocumentReferenceKind(Enum):
    ORDER = "order"
    CORRECTED = "corrected"
    CONTRACT = "contract"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class ExternalId:
    value: str
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """A party as the source names it; `external_id` is empty for a guest."""

    external_id: str
    issuer: str  # `{provider}/{account}`
    display_name: str = ""
    country: str = ""  # ISO 3166-1 alpha-2
    tax_id: str = ""
    email: str = ""
    registration_id: str = ""
    other_ids: tuple[ExternalId, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax, as the source computed it; `rate` is a decimal string, `0.08` is 8 %."""

    title: str
    rate: str
    amount: Money
    base: Money | None = None
    category: str = ""  # UNCL 5305
    jurisdiction: str = ""
    collector: Collector = Collector.SELLER
    exemption_reason: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """An allowance or a charge; the amount is positive, whichever it is."""

    kind: AdjustmentKind
    amount: Money
    reason: str = ""
    taxes: tuple[TaxLine, ...] = ()

    @property
    def signed(self) -> Money:
        """What it adds to the document."""
        return self.amount if self.kind is AdjustmentKind.CHARGE else -self.amount


@dataclass(frozen=True, slots=True)
class Period:
    start_date: date | None = None
    end_date: date | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    axis: str
    code: str


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A line after allowances and charges, before tax; `quantity` and `unit_price` are decimal strings."""

    kind: LineKind
    description: str
    net: Money
    quantity: str = "1"
    sku: str = ""
    taxes: tuple[TaxLine, ...] = ()
    id: str = ""
    unit: str = ""
    unit_price: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    period: Period | None = None
    order_line: str = ""
    receipt_line: str = ""
    dimensions: tuple[Dimension, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """What the source states; `gross` and `tax` it must."""

    gross: Money
    tax: Money
    lines: Money | None = None
    allowances: Money | None = None
    charges: Money | None = None
    net: Money | None = None
    prepaid: Money | None = None
    rounding: Money | None = None
    payable: Money | None = None


@dataclass(frozen=True, slots=True)
class Tender:
    """How a part of the document is paid; without an amount where the source does not say how large it is."""

    kind: TenderKind
    amount: Money | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DocumentReference:
    """Another document that this one names: by the source's id of its object, by what people call it, or by both."""

    kind: DocumentReferenceKind
    object_id: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    sha256: str
    media_type: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class CommercialDocument:
    """An invoice, a credit or a debit note. Raises `EventInvalid` where the stated totals contradict its parts."""

    kind: DocumentKind
    direction: Direction
    number: str
    lines: tuple[DocumentLine, ...]
    totals: DocumentTotals
    seller: Party | None = None
    buyer: Party | None = None
    number_issuer: NumberIssuer = NumberIssuer.BOOKS
    issue_date: date | None = None
    due_date: date | None = None
    tax_point_date: date | None = None
    delivery_date: date | None = None
    period: Period | None = None
    payer: Party | None = None
    payee: Party | None = None
    adjustments: tuple[Adjustment, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    tenders: tuple[Tender, ...] = ()
    payment_terms: str = ""
    references: tuple[DocumentReference, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        self._check_currency()
        self._check_totals()

    @classmethod
    def sold(
        cls, number: str, buyer: Party, lines: tuple[DocumentLine, ...], gross: Money, tax: Money
    ) -> CommercialDocument:
        """The invoice of a sale, of which the source states just this."""
        return cls(DocumentKind.INVOICE, Direction.SALE, number, lines, DocumentTotals(gross, tax), buyer=buyer)

    @classmethod
    def refunded(
        cls, object_id: str, number: str, buyer: Party, lines: tuple[DocumentLine, ...], gross: Money, tax: Money
    ) -> CommercialDocument:
        """The credit note for a sale: `object_id` and `number` are the sale's."""
        sale = DocumentReference(DocumentReferenceKind.CORRECTED, object_id, number)
        return cls(
            DocumentKind.CREDIT_NOTE,
            Direction.SALE,
            number,
            lines,
            DocumentTotals(gross, tax),
            buyer=buyer,
            references=(sale,),
        )

    @property
    def counterparty(self) -> Party | None:
        """Who is on the other side: the buyer of a sale, the seller of a purchase."""
        return self.buyer if self.direction is Direction.SALE else self.seller

    @property
    def corrects(self) -> DocumentReference | None:
        """The document that a credit or debit note corrects."""
        return next((each for each in self.references if each.kind is DocumentReferenceKind.CORRECTED), None)

    def _check_currency(self) -> None:
        currency = self.totals.gross.currency
        amounts = [self.totals.tax, *(line.net for line in self.lines)]
        amounts += [tax.amount for line in self.lines for tax in line.taxes]
        amounts += [each.amount for each in self.adjustments] + [each.amount for each in self.tenders if each.amount]
        amounts += [tax.amount for tax in self.taxes]
        if any(amount.currency != currency for amount in amounts):
            raise EventInvalid("the document is in two currencies", field="document")

    def _check_totals(self) -> None:
        """EN 16931, BR-CO-10 to BR-CO-16 for each total that is stated; taxes are rounded by the source's own rule."""
        totals, zero = self.totals, Money.zero(self.totals.gross.currency)
        if totals == DocumentTotals(totals.gross, totals.tax):
            return  # a shop states no more; the ledger checks these two against what its rules make
        lines = sum((line.net for line in self.lines), zero)
        allowances = _sum(self.adjustments, AdjustmentKind.ALLOWANCE, zero)
        charges = _sum(self.adjustments, AdjustmentKind.CHARGE, zero)
        net = lines - allowances + charges
        due = totals.gross - (totals.prepaid or zero) + (totals.rounding or zero)
        for name, stated, right in (
            ("lines", totals.lines, lines),
            ("allowances", totals.allowances, allowances),
            ("charges", totals.charges, charges),
            ("net", totals.net, net),
            ("gross", totals.gross if totals.net is not None else None, net + totals.tax),
            ("payable", totals.payable, due),
        ):
            if stated is not None and stated != right:
                raise EventInvalid("the total does not follow from the document", field=f"document.totals.{name}")


def _sum(adjustments: Iterable[Adjustment], kind: AdjustmentKind, zero: Money) -> Money:
    return sum((each.amount for each in adjustments if each.kind is kind), zero)
