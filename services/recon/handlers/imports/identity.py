"""What speaks against a line's identity: a reference that names two payments, a payment under two value dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from libs.events import BankLine, Event, event_from_json
from libs.formats.statement import StatementLine, fingerprint
from libs.money import Money

from ...domain.doubts import FileDoubt
from ...storage.uow import ReconUow

CONTRADICTED = (
    "a known line under the same reference has another payer or text; it may be another one, not in the books"
)
REPEATED = (
    "a line of the same reference, amount and booking date is in the books with another value date; it may be this"
)


@dataclass(frozen=True, slots=True)
class Twins:
    """Fingerprints that a line named by the bank would have, had another export left out or added its value date."""

    marks: tuple[str, ...] = ()

    @classmethod
    def of(cls, account: str, line: StatementLine) -> Twins:
        others = {None, line.booking_date} - {line.value_date}
        return cls(tuple(sorted(fingerprint(account, replace(line, value_date=day)) for day in others)))


@dataclass(frozen=True, slots=True)
class StatedLine:
    """A line as an import states it, beside what it became."""

    statement: str
    sequence: int
    amount: Money
    name: str
    payload: str
    transaction_id: str

    def doubt(self, reason: str, message: str) -> FileDoubt:
        return FileDoubt(self.statement, reason, message, self.amount, self.sequence, self.name, self.transaction_id)


def contradicted(lines: Sequence[StatedLine], uow: ReconUow) -> list[FileDoubt]:
    """Known lines whose payer or text is not the known one's: a bank may give one reference to all."""
    known = {event.name: event for event in uow.events.find([line.name for line in lines])}
    return [
        line.doubt("LINE_CONTRADICTED", CONTRADICTED)
        for line in lines
        if line.name in known and _contradict(event_from_json(line.payload), known[line.name])
    ]


def stood_otherwise(lines: Sequence[tuple[StatedLine, Twins]], uow: ReconUow) -> list[FileDoubt]:
    """New lines that stand in the books as another export had them."""
    names = {
        f"{line.name.rpartition('/')[0]}/{mark}-{line.name.rpartition('-')[2]}": line
        for line, twins in lines
        for mark in twins.marks
    }
    found = {names[event.name]: None for event in uow.events.find(names)}
    return [line.doubt("LINE_REPEATED", REPEATED) for line in found]


def _contradict(event: Event, other: Event) -> bool:
    if not isinstance(event.body, BankLine) or not isinstance(other.body, BankLine):
        return False
    pairs = (
        (event.body.remittance, other.body.remittance),
        (event.body.counterparty_name, other.body.counterparty_name),
    )
    return any(_differ(_letters(ours), _letters(theirs)) for ours, theirs in pairs)


def _differ(ours: str, theirs: str) -> bool:
    """What one leaves out contradicts nothing: details may come late."""
    return bool(ours and theirs) and ours not in theirs and theirs not in ours


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
