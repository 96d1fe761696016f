"""What an import doubts, as differences that are opened in its commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.events import Event
from libs.formats.statement import StatementEnd, StatementLine
from libs.handover import NewEvent
from libs.money import Money

from ...domain.difference import Difference, DifferenceState
from ...domain.doubts import DOUBTS_AT_MOST, OF_LINES, OF_STATEMENTS, FileDoubt
from ...domain.files import FileFindings, IncomingFile
from ...domain.statement import BankStatement
from ...storage.uow import ReconUow
from .identity import StatedLine, Twins, contradicted, stood_otherwise

ACTOR = "recon"
EQUAL_LINES_SEARCHED = 8  # beyond its own occurrence: so many equal lines are looked for in earlier statements
AMBIGUOUS = "a known line bears no reference that proves it the same; it may be another one that is not in the books"


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A booked line as it is kept aside: its event, and what was found about it."""

    statement: str
    sequence: int
    equal_before: int  # equal lines in the statements of the file that it follows on
    has_references: bool
    amount: Money
    doubts: tuple[FileDoubt, ...]
    event: NewEvent
    twins: Twins

    @property
    def stated(self) -> StatedLine:
        event = self.event
        return StatedLine(self.statement, self.sequence, self.amount, event.name, event.payload, event.transaction_id)

    @property
    def mark(self) -> str:
        """The event's name without its occurrence: the same for equal lines."""
        return self.event.name.rpartition("-")[0]

    @property
    def occurrence(self) -> int:
        return int(self.event.name.rpartition("-")[2])


class FileDoubts:
    """Doubts as they are found, in bounded memory: past a number those about lines become one a statement."""

    def __init__(self) -> None:
        self._kept: dict[str, FileDoubt] = {}
        self._cut: dict[str, tuple[int, Money]] = {}

    def add(self, doubt: FileDoubt) -> None:
        if len(self._kept) < DOUBTS_AT_MOST or not doubt.sequence:
            self._kept.setdefault(doubt.subject, doubt)
            return
        count, amount = self._cut.get(doubt.statement, (0, Money.zero(doubt.amount.currency)))
        self._cut[doubt.statement] = count + 1, amount + _gross([doubt.amount])

    def all(self) -> list[FileDoubt]:
        """In the order found."""
        cut = [
            FileDoubt(name, "LINES_DOUBTED", f"{count} more lines of this statement are in doubt; see the file", amount)
            for name, (count, amount) in self._cut.items()
        ]
        return [*self._kept.values(), *cut]


def doubts_of_line(statement: str, line: StatementLine, event: Event | None = None) -> tuple[FileDoubt, ...]:
    """Each reason once. `event` is what a booked line became."""
    units, currency = line.amount.minor_units, line.amount.currency
    gaps = {
        "DETAILS_DO_NOT_SUM": units - _sum(detail.amount for detail in line.details),
        "BATCH_TOTAL_MISMATCH": units - _sum(batch.total for batch in line.batches),
    }
    found = {finding.reason: finding.message for finding in line.findings if finding.reason in OF_LINES}
    place = (line.sequence, event.name, event.transaction_id) if event is not None else (line.sequence,)
    return tuple(
        FileDoubt(statement, reason, message, Money(currency, gaps.get(reason, units)), *place)
        for reason, message in found.items()
    )


def doubts_of_statement(
    statement: BankStatement, end: StatementEnd, more: Iterable[tuple[str, str]]
) -> list[FileDoubt]:
    """`more` are (reason, message) of what was found about the statement beside its end."""
    found = [*more, *((finding.reason, finding.message) for finding in end.findings)]
    if not statement.currency:
        return []  # it has neither line nor balance
    nothing = Money.zero(statement.currency)
    sums = [amount for amount in (end.credit_sum, end.debit_sum) if amount is not None]
    risks = {"ACCOUNT_DIFFERS": _gross([nothing, *sums])}
    # With a gap it is found from the stored statement, until a later copy ties.
    watched = OF_STATEMENTS | (frozenset() if statement.gap is not None else {"BALANCES_DO_NOT_TIE"})
    return [FileDoubt(statement.name, key, text, risks.get(key, nothing)) for key, text in found if key in watched]


def doubt_known_lines(
    lines: Sequence[KeptLine],
    new: Sequence[bool],
    earlier: dict[str, list[str]],
    doubts: FileDoubts,
    uow: ReconUow,
) -> list[KeptLine]:
    """Doubt what is new and was found odd, and what is known without a proof; the latter are returned.

    `earlier` are the earlier statements that each statement continues by its number. A line that was known and odd was
    doubted when it came first.
    """
    unproved = []
    rows = list(zip(lines, new, strict=True))
    repeated = _repeated([line for line, is_new in rows if not is_new and not line.has_references], earlier, uow)
    known = [line.stated for line, is_new in rows if not is_new and line.has_references]
    first = [(line.stated, line.twins) for line, is_new in rows if is_new and line.twins.marks]
    for doubt in (*contradicted(known, uow), *stood_otherwise(first, uow)):
        doubts.add(doubt)
    for line, is_new in rows:
        if is_new:
            for doubt in line.doubts:
                doubts.add(doubt)
        elif not line.has_references and (line.statement, line.sequence) not in repeated:
            place = (line.sequence, line.event.name)
            doubts.add(FileDoubt(line.statement, "LINE_AMBIGUOUS", AMBIGUOUS, line.amount, *place))
            unproved.append(line)
    return unproved


def doubt_lost_lines(
    statement: BankStatement, copies: dict[str, list[str]], findings: FileFindings, uow: ReconUow
) -> list[FileDoubt]:
    """That lines of the statement as it came before are not in it. `copies` are its `earlier_copies`."""
    lost = sorted({event for events in copies.values() for event in events})
    if not lost:
        return []
    message = f"{len(lost)} lines of this statement as it came before are not in it, but in the books"
    findings.add("STATEMENT_CHANGED", message, statement.statement_id)
    amount = _gross([event.amount for event in uow.events.find(lost)])
    return [FileDoubt(statement.name, "STATEMENT_CHANGED", message, amount)]


def open_doubts(file: IncomingFile, doubts: Sequence[FileDoubt], uow: ReconUow, now: datetime) -> None:
    """A difference each, open and in finance's hands."""
    opened = [Difference.open(file.company, doubt.cause(file.transaction_id), now) for doubt in doubts]
    uow.differences.save(file.company, [(None, difference) for difference in opened], ACTOR)


def resolve_superseded(company: str, copies: dict[str, list[str]], uow: ReconUow, now: datetime) -> None:
    """Resolve what was doubted of earlier copies that the newest holds whole: what is still so was doubted anew."""
    whole = [name for name, missing in copies.items() if not missing]
    changes = [
        (before, before.changed(now, state=DifferenceState.RESOLVED))
        for before in uow.differences.about(company, whole)
        if before.reason not in OF_LINES or before.reason == "STATUS_UNKNOWN"  # what is in the books stays doubted
    ]
    uow.differences.save(company, changes, ACTOR)


def _repeated(lines: Sequence[KeptLine], earlier: dict[str, list[str]], uow: ReconUow) -> set[tuple[str, int]]:
    """(statement, line) of those that an earlier statement of their number has as often as theirs has up to here."""
    by_statement: dict[str, list[KeptLine]] = {}
    for line in lines:
        if earlier.get(line.statement):
            by_statement.setdefault(line.statement, []).append(line)
    found = set()
    for statement, ours in by_statement.items():
        last: dict[str, int] = {}
        for line in ours:
            last[line.mark] = max(last.get(line.mark, 0), line.occurrence)
        names = [
            f"{mark}-{occurrence}"
            for mark, most in last.items()
            for occurrence in range(1, most + EQUAL_LINES_SEARCHED + 1)
        ]
        present = uow.statements.lines_present(earlier[statement], names)
        times = Counter((copy, event.rpartition("-")[0]) for copy, event in present)
        for line in ours:
            if any(times[copy, line.mark] >= line.occurrence - line.equal_before for copy in earlier[statement]):
                found.add((statement, line.sequence))
    return found


def _sum(amounts: Iterable[Money | None]) -> int:
    return sum(amount.minor_units for amount in amounts if amount is not None)


def _gross(amounts: Sequence[Money]) -> Money:
    """What moved, either way, in the currency of the first: a statement has one."""
    return Money(amounts[0].currency, sum(abs(amount.minor_units) for amount in amounts))
