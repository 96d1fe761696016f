"""What an import doubts, as differences that are opened in its commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from libs.formats.statement import StatementEnd, StatementLine
from libs.money import Money

from ..domain.doubts import DOUBTS_AT_MOST, OF_LINES, OF_STATEMENTS, Doubt
from ..domain.files import FileFindings, FileToImport, Statement, difference_name
from ..domain.match import Difference, DifferenceState
from ..domain.walk import NewEvent
from ..storage.uow import ReconUow

ACTOR = "recon"
TOLD_BEFORE = 8  # so many equal lines of other statements are looked through for a line's first telling
AMBIGUOUS = "a known line bears no reference that proves it the same; it may be another one that is not in the books"


class KeptLine(NamedTuple):
    """A booked line as it is kept aside: its event, and what was found about it."""

    statement: str
    sequence: int
    before: int  # equal lines in the statements of the file that it follows on
    has_references: bool
    doubts: Sequence[tuple[str, str, str, int]]  # reason, message, currency, minor units
    amount: tuple[str, int]
    event: Sequence[str]

    @property
    def new_event(self) -> NewEvent:
        return NewEvent(*self.event)


class Doubts:
    """Doubts as they are found, in bounded memory: past a number those about lines are told as one a statement."""

    def __init__(self) -> None:
        self._kept: dict[str, Doubt] = {}
        self._cut: dict[str, tuple[int, Money]] = {}

    def add(self, doubt: Doubt) -> None:
        if len(self._kept) < DOUBTS_AT_MOST or not doubt.sequence:
            self._kept.setdefault(doubt.subject, doubt)
            return
        count, amount = self._cut.get(doubt.statement, (0, Money.zero(doubt.amount.currency)))
        self._cut[doubt.statement] = count + 1, amount + _gross([doubt.amount])

    def all(self) -> list[Doubt]:
        """In the order found."""
        cut = [
            Doubt(name, "LINES_DOUBTED", f"{count} more lines of this statement are in doubt; see the file", amount)
            for name, (count, amount) in self._cut.items()
        ]
        return [*self._kept.values(), *cut]


def of_line(line: StatementLine) -> list[tuple[str, str, str, int]]:
    """What a person must look at, each reason once, with the money that it is about."""
    currency = line.amount.currency
    gaps = {
        "DETAILS_DO_NOT_SUM": line.amount.minor_units - _sum(one.amount for one in line.details),
        "BATCH_TOTAL_MISMATCH": line.amount.minor_units - _sum(one.total for one in line.batches),
    }
    found = {one.reason: one.message for one in line.findings if one.reason in OF_LINES}
    return [(key, text, currency, gaps.get(key, line.amount.minor_units)) for key, text in found.items()]


def of_statement(statement: Statement, end: StatementEnd, more: Iterable[tuple[str, str]]) -> list[Doubt]:
    """`more` are (reason, message) of what was found about the statement beside its end."""
    found = [*more, *((one.reason, one.message) for one in end.findings)]
    if not statement.currency:
        return []  # it has neither line nor balance
    nothing = Money.zero(statement.currency)
    sums = [one for one in (end.credit_sum, end.debit_sum) if one is not None]
    risks = {"ACCOUNT_DIFFERS": _gross([nothing, *sums])}
    # With a gap it is found from the stored statement, until a later copy ties.
    watched = OF_STATEMENTS | (frozenset() if statement.gap is not None else {"BALANCES_DO_NOT_TIE"})
    return [Doubt(statement.name, key, text, risks.get(key, nothing)) for key, text in found if key in watched]


def doubt_lines(
    lines: Sequence[KeptLine], new: Sequence[bool], retold: dict[str, list[str]], doubts: Doubts, uow: ReconUow
) -> list[KeptLine]:
    """Doubt what is new and found odd, and what is known without a proof; the latter are returned.

    `retold` are the earlier tellings of each statement. A line that was known and odd was doubted when it came first.
    """
    unproved = []
    rows = list(zip(lines, new, strict=True))
    told = _told([line for line, is_new in rows if not is_new and not line.has_references], retold, uow)
    for line, is_new in rows:
        event = line.new_event
        if is_new:
            for reason, message, currency, units in line.doubts:
                amount = Money(currency, units)
                place = (line.sequence, event.name, event.transaction_id)
                doubts.add(Doubt(line.statement, reason, message, amount, *place))
        elif not line.has_references and (line.statement, line.sequence) not in told:
            amount = Money(*line.amount)
            doubts.add(Doubt(line.statement, "LINE_AMBIGUOUS", AMBIGUOUS, amount, line.sequence, event.name))
            unproved.append(line)
    return unproved


def changed(statement: Statement, copies: dict[str, list[str]], findings: FileFindings, uow: ReconUow) -> list[Doubt]:
    """That lines of the statement as it came before are not in it. `copies` is `StatementStore.copies`'."""
    dropped = sorted({event for events in copies.values() for event in events})
    if not dropped:
        return []
    message = f"{len(dropped)} lines of this statement as it came before are not in it, but in the books"
    findings.add("STATEMENT_CHANGED", message, statement.statement_id)
    amount = _gross([one.amount for one in uow.outbound.find(dropped)])
    return [Doubt(statement.name, "STATEMENT_CHANGED", message, amount)]


def open_doubts(file: FileToImport, doubts: Sequence[Doubt], uow: ReconUow, now: datetime) -> None:
    """A difference each, open and in finance's hands."""
    opened = [
        Difference(
            name=difference_name(file.company, one.subject),
            state=DifferenceState.OPEN,
            subject=one.subject,
            transaction_id=one.transaction_id or file.transaction_id,
            reason=one.reason,
            message=one.message,
            amount=one.amount,
            created_at=now,
            updated_at=now,
            nearest=one.event if one.reason == "LINE_AMBIGUOUS" else "",
            nearest_lacks="reference" if one.reason == "LINE_AMBIGUOUS" else "",
        )
        for one in doubts
    ]
    uow.differences.save(file.company, [(None, one) for one in opened], ACTOR)


def settle_superseded(company: str, copies: dict[str, list[str]], uow: ReconUow, now: datetime) -> None:
    """Resolve what was doubted of earlier copies that the newest holds whole: what is still so was doubted anew."""
    whole = [name for name, missing in copies.items() if not missing]
    changes = [
        (one, replace(one, state=DifferenceState.RESOLVED, updated_at=now, version=one.version + 1))
        for one in uow.differences.about(company, whole)
        if one.reason not in OF_LINES or one.reason == "STATUS_UNKNOWN"  # a line that is in the books stays doubted
    ]
    uow.differences.save(company, changes, ACTOR)


def _told(lines: Sequence[KeptLine], retold: dict[str, list[str]], uow: ReconUow) -> set[tuple[str, int]]:
    """(statement, line) of those that an earlier telling of their statement has as often as this one up to here."""
    mine: dict[str, list[KeptLine]] = {}
    for line in lines:
        if retold.get(line.statement):
            mine.setdefault(line.statement, []).append(line)
    found = set()
    for statement, ours in mine.items():
        last: dict[str, int] = {}
        for line in ours:
            stem, occurrence = _parts(line)
            last[stem] = max(last.get(stem, 0), occurrence)
        names = [f"{stem}-{one}" for stem, top in last.items() for one in range(1, top + TOLD_BEFORE + 1)]
        times = Counter(
            (copy, event.rpartition("-")[0]) for copy, event in uow.statements.told(retold[statement], names)
        )
        for line in ours:
            stem, occurrence = _parts(line)
            if any(times[copy, stem] >= occurrence - line.before for copy in retold[statement]):
                found.add((statement, line.sequence))
    return found


def _parts(line: KeptLine) -> tuple[str, int]:
    stem, _, occurrence = line.new_event.name.rpartition("-")
    return stem, int(occurrence)


def _sum(amounts: Iterable[Money | None]) -> int:
    return sum(one.minor_units for one in amounts if one is not None)


def _gross(amounts: Sequence[Money]) -> Money:
    """What moved, either way, in the currency of the first: a statement has one."""
    return Money(amounts[0].currency, sum(abs(one.minor_units) for one in amounts))
