"""`Ntry`: one movement of the account, put together while its transactions stream by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from libs.money import Money

from .camt_detail import Amounts, DetailReader, charges_of, transaction_code
from .camt_values import Element, Names, amount_of, date_of, own_text, refuse, side_of, signed
from .errors import FormatError, StatementDateInvalid, StatementStructure, XmlTooLarge
from .statement import (
    BankTransactionCode,
    Charge,
    Detail,
    EntryBatch,
    EntryStatus,
    Finding,
    StatementLine,
)

# A collection of more payments than this would hold too much memory at once.
DETAILS_LIMIT = 200_000

_STATUSES = {status.value: status for status in EntryStatus}


class CamtEntry:
    """An entry being read: `add` each transaction as it completes, then `line`."""

    def __init__(self, names: Names, element: Element, details: DetailReader, keep_details: bool) -> None:
        """Reads side, amount and reversal, which the message puts before the transactions."""
        self.element = element
        self._names = names
        self._details = details
        self._keep = keep_details
        parts = names.parts(element)
        self.side = side_of(parts.get("CdtDbtInd"), element)
        self.amount = signed(amount_of(parts.get("Amt"), element), self.side)
        self.reversal = own_text(parts.get("RvslInd")) in ("true", "1")
        self._kept: list[Detail] = []
        self._batches: list[EntryBatch] = []
        self._findings: list[Finding] = []
        self._count = 0
        self._unsummed = 0
        self._sum = 0
        self._charges = 0

    def add(self, element: Element) -> None:
        """Take one transaction; raises `FormatError`."""
        self._count += 1
        if self._count > DETAILS_LIMIT:
            raise refuse(XmlTooLarge, "an entry holds too many transactions", element)
        # The batch stands before its transactions and is freed with the first of them.
        self._take_batches(element.itersiblings(self._names.prefix + "Btch", preceding=True))
        money: Amounts | Detail
        if self._keep:
            detail = self._details.read(element, self.side, self.reversal, self._findings)
            self._kept.append(detail)
            money = detail
        else:
            money = self._details.amounts(element, self.side, self._findings)
        if money.amount is None or money.amount.currency != self.amount.currency:
            self._unsummed += 1
        else:
            self._sum += money.amount.minor_units
        if money.charges:
            self._charges += self._own_currency(money.charges)

    def line(self, sequence: int, statement_day: date | None) -> StatementLine:
        """The finished entry; raises `FormatError` on dates and sides that cannot be read.

        A booked entry may bear no date at all (both are optional in the schema): then `statement_day` is its day.
        """
        names = self._names
        parts: dict[str, Element] = {}
        for part in self.element:
            name = names.local(part)
            if name == "NtryDtls":
                self._take_batches(names.children(part, "Btch"))
            elif name == "Btch":  # version 1
                self._take_batches([part])
            else:
                parts.setdefault(name, part)
        charges = charges_of(names, self.element, self._findings) if "Chrgs" in parts else []
        self._charges += self._own_currency(tuple(charges))
        self._check_details(self._batches)
        booking_date = date_of(parts.get("BookgDt"))
        status = self._status(parts.get("Sts"))
        value_date = date_of(parts.get("ValDt"))
        assumed_date = None
        if booking_date is None and status is EntryStatus.BOOKED:
            if value_date is None:
                if statement_day is None:
                    message = "a booked entry without booking and value date, in a statement without a day"
                    raise refuse(StatementDateInvalid, message, self.element)
                assumed_date = statement_day
            counts = "statement's day" if assumed_date else "value date"
            self._found("BOOKING_DATE_MISSING", f"a booked entry without booking date; its {counts} counts")
        return StatementLine(
            sequence=sequence,
            amount=self.amount,
            side=self.side,
            status=status,
            booking_date=booking_date,
            value_date=value_date,
            reversal=self.reversal,
            code=transaction_code(names, parts.get("BkTxCd")) or self._shared_code(),
            entry_reference=own_text(parts.get("NtryRef")),
            account_servicer_reference=own_text(parts.get("AcctSvcrRef")),
            batches=tuple(self._batches),
            charges=tuple(charges),
            details=tuple(self._kept),
            additional_information=own_text(parts.get("AddtlNtryInf")),
            findings=tuple(self._findings),
            assumed_date=assumed_date,
        )

    def _status(self, element: Element | None) -> EntryStatus:
        """Text up to version 7, `Cd` or `Prtry` from 8 on."""
        text = own_text(element) or self._names.text(element, "Cd") or ""
        status = _STATUSES.get(text)
        if status is None:
            self._found("STATUS_UNKNOWN", "an entry of unknown status is not counted as booked")
        return status or EntryStatus.UNKNOWN

    def _shared_code(self) -> BankTransactionCode:
        """The code of the transactions where they agree and the entry has none (usual in Germany)."""
        codes = {detail.code for detail in self._kept}
        code = codes.pop() if len(codes) == 1 else None
        return code or BankTransactionCode()

    def _take_batches(self, elements: Iterable[Element]) -> None:
        self._batches += [self._batch(element) for element in elements]

    def _batch(self, element: Element) -> EntryBatch:
        names = self._names
        count = names.text(element, "NbOfTxs") or ""
        side = names.child(element, "CdtDbtInd")
        total: Money | None = None
        stated = names.child(element, "TtlAmt")
        if stated is not None:
            try:
                total = signed(amount_of(stated, element), self.side if side is None else side_of(side, element))
            except FormatError as error:
                self._findings.append(Finding("BATCH_TOTAL_INVALID", str(error), error.position))
        return EntryBatch(
            names.text(element, "MsgId"),
            names.text(element, "PmtInfId"),
            int(count) if count.isascii() and count.isdigit() and len(count) <= 15 else None,
            total,
        )

    def _check_details(self, batches: list[EntryBatch]) -> None:
        """Transactions must add up to their entry, or recon may not split it."""
        if self._count and self._unsummed == 0:
            difference = self.amount.minor_units - self._sum
            # Charges may explain it: a bank books the net of a collection and states what it kept.
            if difference not in (0, self._charges):
                self._found("DETAILS_DO_NOT_SUM", "the transactions do not add up to their entry")
        elif self._count > 1:
            self._found("DETAILS_WITHOUT_AMOUNT", "transactions without an amount in the entry's currency")
        if self._count and len(batches) == 1 and batches[0].count not in (None, self._count):
            self._found("BATCH_COUNT_MISMATCH", "the batch states another number of transactions")
        totals = [batch.total for batch in batches if batch.total and batch.total.currency == self.amount.currency]
        if totals and len(totals) == len(batches):
            difference = self.amount.minor_units - sum(total.minor_units for total in totals)
            if difference not in (0, self._charges):
                self._found("BATCH_TOTAL_MISMATCH", "the batch states another total than its entry")

    def _own_currency(self, charges: tuple[Charge, ...]) -> int:
        return sum(charge.amount.minor_units for charge in charges if charge.amount.currency == self.amount.currency)

    def _found(self, reason: str, message: str) -> None:
        self._findings.append(Finding(reason, message, f"line {self.element.sourceline}, Ntry"))


def entry_of_detail(names: Names, element: Element) -> Element:
    """The entry that a `TxDtls` stands in; raises `StatementStructure` where it stands elsewhere."""
    container = element.getparent()
    entry = None if container is None else container.getparent()
    if container is None or entry is None or names.local(container) != "NtryDtls" or names.local(entry) != "Ntry":
        raise refuse(StatementStructure, "a transaction outside of an entry", element)
    return entry
