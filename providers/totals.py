"""What a settlement report adds up to, payout by payout."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import BinaryIO

from libs.formats.errors import SettlementAmountInvalid, SettlementEmpty
from libs.formats.statement import Finding
from libs.money import BadAmount, Money

from .base import LineRole, ReportLine, SettlementReport


@dataclass(slots=True)
class SettlementTotals:
    """Control totals of one payout and currency, or of the rows without payout. Money in minor units.

    `payouts` is what left for the bank, None while nothing did.
    """

    format: str
    id: str | None
    currency: str
    lines: int = 0
    gross: int = 0
    fees: int = 0
    net: int = 0
    paid: int = 0
    payout_rows: int = 0
    repeated: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def payouts(self) -> int | None:
        """By the payout's own row if the report has it; else the payout is what its rows add up to."""
        if self.payout_rows:
            return self.paid
        return self.net if self.id else None

    @property
    def ties(self) -> bool | None:
        """Whether the rows add up to the payout's own row; None if the report lacks one of the two."""
        return self.net == self.paid if self.payout_rows and self.lines > self.payout_rows else None

    def add(self, line: ReportLine) -> None:
        self.lines += 1
        if line.repeated:
            self.repeated += 1
            self.findings.append(Finding("ROW_REPEATED", "a balance transaction stands twice", f"line {line.row}"))
        elif line.role is not LineRole.PAID:
            self.payout_rows += 1
            self.paid -= line.net.minor_units
        else:
            self.gross += line.gross.minor_units
            self.fees += line.fee.minor_units
            self.net += line.net.minor_units

    def summary_json(self) -> dict[str, object]:
        """What `concord inspect settlement --summary` prints."""
        payouts = self.payouts
        return {
            "format": self.format,
            "id": self.id,
            "currency": self.currency,
            "lines": self.lines,
            "gross": self._decimal(self.gross),
            "fees": self._decimal(self.fees),
            "net": self._decimal(self.net),
            "payouts": None if payouts is None else self._decimal(payouts),
        }

    def _decimal(self, units: int) -> str:
        try:
            return Money(self.currency, units).decimal()
        except BadAmount:
            raise SettlementAmountInvalid("a sum does not fit 64 bits") from None


def settlement_totals(report: SettlementReport, file: BinaryIO, zone: tzinfo = UTC) -> list[SettlementTotals]:
    """Totals by payout and currency, in the order of their first row; raises `FormatError`."""
    found: dict[tuple[str | None, str], SettlementTotals] = {}
    for line in report.lines(file, zone):
        key = (line.settlement_id, line.net.currency)
        found.setdefault(key, SettlementTotals(report.format, *key)).add(line)
    if not found:
        raise SettlementEmpty("the report has no rows")
    for totals in found.values():
        if totals.ties is False:
            totals.findings.append(Finding("PAYOUT_DOES_NOT_TIE", "the rows do not add up to their payout"))
    return list(found.values())
