"""`Stmt`, `Rpt` or `Ntfctn`: whose account, which balances, and whether entries and balances agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from libs.money import CURRENCIES, BadAmount, Money

from .camt_detail import account_number, bic_of
from .camt_values import Element, Names, amount_of, calendar_date, date_of, own_text, refuse, side_of, signed
from .errors import (
    StatementAccountMissing,
    StatementAmountInvalid,
    StatementCurrencyMismatch,
    StatementCurrencyUnknown,
    StatementDateInvalid,
    StatementIdMissing,
    XmlTooLarge,
)
from .statement import Balance, Finding, StatementAccount, StatementEnd, StatementHeader, StatementLine

OPENING_CODES = ("OPBD", "PRCD")  # some banks state only the previous closing
CLOSING_CODES = ("CLBD",)
BALANCES_LIMIT = 10_000  # all are held until the statement ends; a page has a dozen
_BOOKED_CODES = frozenset({*OPENING_CODES, *CLOSING_CODES, "ITBD"})
_TEXTS = frozenset({"Id", "ElctrncSeqNb", "LglSeqNb", "CreDtTm", "CpyDplctInd"})
_PAGES = frozenset({"StmtPgntn", "RptPgntn", "NtfctnPgntn"})


@dataclass(slots=True)
class _Totals:
    """Booked minor units; `reversals` is the signed sum of entries marked as reversals."""

    entries: int = 0
    not_booked: int = 0
    credit: int = 0
    debit: int = 0
    reversals: int = 0

    def add(self, line: StatementLine) -> None:
        if not line.booked:
            self.not_booked += 1
            return
        self.entries += 1
        units = line.amount.minor_units
        if units < 0:
            self.debit -= units
        else:
            self.credit += units
        if line.reversal:
            self.reversals += units


class Statement:
    """A statement being read: `drain` what stands before an entry, `header` once, `add` each line, then `end`."""

    def __init__(self, names: Names, element: Element, message: str, index: int, message_id: str | None) -> None:
        self.element = element
        self.count = 0
        self._names = names
        self._format = message
        self._index = index
        self._message_id = message_id
        self._texts: dict[str, str] = {}
        self._account: StatementAccount | None = None
        self._period: tuple[date | None, date | None] = (None, None)
        self._page: tuple[str | None, bool | None] = (None, None)
        self._balances: list[Balance] = []
        self._stated_count: int | None = None
        self._findings: list[Finding] = []
        self._currency: str | None = None
        self._totals = _Totals()

    @property
    def account(self) -> StatementAccount:
        if self._account is None:
            raise refuse(StatementAccountMissing, "the statement does not name its account first", self.element)
        return self._account

    def drain(self, until: Element | None) -> None:
        """Read and free what stands before `until`, or all that is left."""
        for part in self.element:
            if part is until:
                break
            self._take(part)
        # Never by counting the children, which a hostile file makes a million of.
        if until is None:
            del self.element[:]
            return
        while until.getprevious() is not None:
            del self.element[0]

    @property
    def day(self) -> date | None:
        """The last day that it states before its entries: of its closing, of any balance, its period or its making."""
        closing = [balance.day for balance in self._balances if balance.day and balance.code in CLOSING_CODES]
        days = closing or [balance.day for balance in self._balances if balance.day]
        return max(days) if days else self._period[1] or calendar_date(self._texts.get("CreDtTm", ""))

    def header(self, first: StatementLine | None) -> StatementHeader:
        """Whose statement it is; the currency is the account's, else its booked balances', else its entries'."""
        if "Id" not in self._texts:
            raise refuse(StatementIdMissing, "the statement has no identification", self.element)
        booked = (balance.amount.currency for balance in self._balances if balance.code in _BOOKED_CODES)
        self._currency = self.account.currency or next(booked, first.amount.currency if first else None)
        return StatementHeader(
            format=self._format,
            index=self._index,
            message_id=self._message_id,
            statement_id=self._texts["Id"],
            account=self.account,
            currency=self._currency,
            electronic_sequence=self._texts.get("ElctrncSeqNb"),
            legal_sequence=self._texts.get("LglSeqNb"),
            created=self._texts.get("CreDtTm"),
            period_from=self._period[0],
            period_to=self._period[1],
            page=self._page[0],
            last_page=self._page[1],
            copy_or_duplicate=self._texts.get("CpyDplctInd"),
            opening=self._agreed(OPENING_CODES),
            closing=self._agreed(CLOSING_CODES),
        )

    def add(self, line: StatementLine, element: Element) -> StatementLine:
        """Count a line in; raises `StatementCurrencyMismatch` if it is booked in another currency."""
        self.count += 1
        if line.amount.currency != self._currency:
            message = "the entry is not in the currency of its account"
            if line.booked:
                raise refuse(StatementCurrencyMismatch, message, element)
            finding = Finding("ENTRY_CURRENCY_MISMATCH", message, f"line {element.sourceline}, Ntry")
            line = replace(line, findings=(*line.findings, finding))
        self._totals.add(line)
        return line

    def end(self) -> StatementEnd:
        """The proof of the balances; raises `StatementAmountInvalid` if a sum does not fit 64 bits."""
        totals, currency = self._totals, self._currency
        opening, other_opening = self._balance(OPENING_CODES)
        closing, other_closing = self._balance(CLOSING_CODES)
        ties: bool | None = None
        difference: Money | None = None
        try:
            if opening is not None and closing is not None:
                difference = closing - opening - Money(opening.currency, totals.credit - totals.debit)
                ties = not difference
            elif (opening is not None or other_opening) and (closing is not None or other_closing):
                ties = False  # both are stated, in different currencies
            credit = Money(currency, totals.credit) if currency else None
            debit = Money(currency, totals.debit) if currency else None
        except BadAmount:
            raise refuse(StatementAmountInvalid, "the sums do not fit 64 bits", self.element) from None
        self._check(ties, difference)
        return StatementEnd(
            entries=totals.entries,
            not_booked=totals.not_booked,
            credit_sum=credit,
            debit_sum=debit,
            opening=opening,
            closing=closing,
            ties=ties,
            difference=difference,
            balances=tuple(self._balances),
            findings=tuple(self._findings),
        )

    def _check(self, ties: bool | None, difference: Money | None) -> None:
        totals = self._totals
        if ties is False:
            self._found("BALANCES_DO_NOT_TIE", "opening balance and booked entries do not give the closing balance")
            # Banks differ on whether a reversal's mark turns its side round. The sign is kept as written; this says
            # that the balances were made the other way.
            if difference and totals.reversals and difference.minor_units == -2 * totals.reversals:
                self._found("REVERSALS_WITH_OTHER_SIGN", "the balances tie if reversals are counted the other way")
        stated = self._stated_count
        if stated is not None and stated not in (totals.entries, totals.entries + totals.not_booked):
            self._found("ENTRY_COUNT_MISMATCH", "the summary states another number of entries")
        if any(balance.amount.currency != self._currency for balance in self._balances):
            self._found("BALANCE_CURRENCY_MISMATCH", "a balance is not in the currency of the account")

    def _balance(self, codes: tuple[str, ...]) -> tuple[Money | None, bool]:
        """What the account began or ended with, in its currency; else whether that is stated in another.

        Balances of one code and day that disagree are a finding.
        """
        chosen, elsewhere = self._chosen(codes)
        if chosen and len(set(chosen)) > 1:
            code = next(code for code in codes if any(balance.code == code for balance in self._balances))
            self._found("BALANCE_AMBIGUOUS", f"{code} is stated more than once with different amounts")
        if not chosen:
            return None, elsewhere
        return (chosen[-1] if codes == CLOSING_CODES else chosen[0]), False

    def _agreed(self, codes: tuple[str, ...]) -> Money | None:
        """What the balances read so far agree on, in the account's currency; the message puts them before entries."""
        chosen, _ = self._chosen(codes)
        return chosen[0] if len(set(chosen)) == 1 else None

    def _chosen(self, codes: tuple[str, ...]) -> tuple[list[Money], bool]:
        """Balances of the first code that is stated in the account's currency, and whether there are others.

        Of a statement of several days the first day's opening and the last day's closing count, in whatever order
        they stand. A page within a statement begins or ends with the interim balance.
        """
        elsewhere = False
        for code in codes:
            stated = [balance for balance in self._balances if balance.code == code]
            own = [balance for balance in stated if balance.amount.currency == self._currency]
            elsewhere = elsewhere or bool(stated)
            if own:
                return _of_outer_day(own, last=codes == CLOSING_CODES), False
        return ([], elsewhere) if elsewhere else (self._of_page(codes), False)

    def _of_page(self, codes: tuple[str, ...]) -> list[Money]:
        """The page's one interim balance, where another page ends or begins with it. Of two nobody says which is which.

        ISO 20022 has ITBD for both ends of a page.
        """
        number, last = self._page
        is_inner = last is not True if codes == CLOSING_CODES else number is not None and number.lstrip("0") != "1"
        interim = [balance.amount for balance in self._balances if balance.code == "ITBD"]
        others = OPENING_CODES if codes == CLOSING_CODES else CLOSING_CODES
        is_outer = any(balance.code in others for balance in self._balances)
        if number is not None and is_inner and is_outer and len(interim) == 1 and interim[0].currency == self._currency:
            return interim
        return []

    def _take(self, part: Element) -> None:
        name = self._names.local(part)
        if name in _TEXTS:
            if text := own_text(part):
                self._texts.setdefault(name, text)
        elif name == "Bal":
            if len(self._balances) == BALANCES_LIMIT:
                raise refuse(XmlTooLarge, "a statement holds too many balances", part)
            self._balances.append(self._read_balance(part))
        elif name == "Acct":
            self._account = self._account or self._read_account(part)
        elif name == "FrToDt":
            self._period = (self._period_date(part, "Fr"), self._period_date(part, "To"))
        elif name in _PAGES:
            last = self._names.text(part, "LastPgInd")
            self._page = (self._names.text(part, "PgNb"), None if last is None else last in ("true", "1"))
        elif name == "TxsSummry":
            count = self._names.text(part, "TtlNtries", "NbOfNtries") or ""
            if count.isascii() and count.isdigit() and len(count) <= 15:
                self._stated_count = int(count)

    def _period_date(self, period: Element, end: str) -> date | None:
        moment = self._names.child(period, f"{end}DtTm")
        return self._described(self._names.child(period, f"{end}Dt") if moment is None else moment, "PERIOD_INVALID")

    def _described(self, element: Element | None, reason: str) -> date | None:
        """A date that describes the statement and moves no money: one that cannot be read is a finding."""
        try:
            return date_of(element)
        except StatementDateInvalid as error:
            self._findings.append(Finding(reason, str(error), error.position))
            return None

    def _read_balance(self, element: Element) -> Balance:
        names = self._names
        side = side_of(names.child(element, "CdtDbtInd"), element)
        stated = names.child(element, "Dt")
        day = self._described(stated, "BALANCE_DATE_INVALID")
        if day is None and stated is None:
            self._findings.append(
                Finding("BALANCE_DATE_MISSING", "a balance without a date", f"line {element.sourceline}, Bal")
            )
        kind = names.child(element, "Tp")
        # Version 1 has the code directly under the type.
        code = names.text(kind, "CdOrPrtry", "Cd") or names.text(kind, "CdOrPrtry", "Prtry") or names.text(kind, "Cd")
        subtype = names.text(kind, "SubTp", "Cd") or names.text(kind, "SubTp", "Prtry")
        return Balance(code or "", signed(amount_of(names.child(element, "Amt"), element), side), day, subtype)

    def _read_account(self, element: Element) -> StatementAccount:
        names = self._names
        number, scheme = account_number(names, element)
        if number is None:
            raise refuse(StatementAccountMissing, "the account has no number", element)
        currency = names.text(element, "Ccy")
        if currency is not None and currency not in CURRENCIES:
            raise refuse(StatementCurrencyUnknown, "the account's currency is not an ISO 4217 currency", element)
        servicer = bic_of(names, names.child(element, "Svcr", "FinInstnId"))
        return StatementAccount(number, scheme, currency, servicer, names.text(element, "Ownr", "Nm"))

    def _found(self, reason: str, message: str) -> None:
        self._findings.append(Finding(reason, message))


def _of_outer_day(balances: list[Balance], *, last: bool) -> list[Money]:
    """Those of the last or first day; all in the order of the file where one has no day."""
    days = {balance.day for balance in balances}
    if None not in days:
        outer = (max if last else min)(day for day in days if day)
        balances = [balance for balance in balances if balance.day == outer]
    return [balance.amount for balance in balances]
