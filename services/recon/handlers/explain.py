"""Why two things matched, or why a thing did not."""

from __future__ import annotations

from dataclasses import dataclass

from libs.access import EVERYTHING, AccessScope

from ..domain.chain import statement_of_link
from ..domain.difference import Difference
from ..domain.doubts import is_doubt, place_of
from ..domain.errors import DifferenceUnknown, ExplanationUnknown
from ..domain.explain import Predicate, Trial, bank_trials, payout_trial, target_trials
from ..domain.learning import Item, ItemKind
from ..domain.match import Match, MatchState, MatchType
from ..domain.names import settlement_name
from ..domain.payouts import Incomplete
from ..domain.settlement import StoredSettlement
from ..domain.statement import BankStatement
from ..domain.targets import bank_items, target_of, targets_of
from ..storage.uow import NewUow, ReconUow
from .compositions import compositions, look_at

SHOWN = 20  # lines of a statement
SUMS = {"DETAILS_DO_NOT_SUM": "sum_of_details", "BATCH_TOTAL_MISMATCH": "sum_of_batches"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """`subject` is a posting's key, or the name of a match, settlement or event."""

    subject: str
    trials: tuple[Trial, ...]


def explain(company: str, collection: str, key: str, new_uow: NewUow, scope: AccessScope = EVERYTHING) -> Explanation:
    """`collection` is `matches`, `differences`, `settlements` or `postings`.

    Raises `MatchUnknown`, `DifferenceUnknown`, `SettlementUnknown`, `ExplanationUnknown`.
    """
    name = f"companies/{company}/{collection}/{key}"
    with new_uow(read_only=True) as uow:
        if collection == "matches":
            return Explanation(name, tuple(_of_match(uow.matches.get(name, scope), uow)))
        if collection == "settlements":
            return Explanation(name, (_of_settlement(uow.settlements.get(name, scope), uow),))
        if collection == "differences":
            return _of_difference(company, name, scope, uow)
        return _of_posting(company, key, uow)


def _of_difference(company: str, name: str, scope: AccessScope, uow: ReconUow) -> Explanation:
    difference = uow.differences.get(name, scope)
    if not name.startswith(f"companies/{company}/"):
        raise DifferenceUnknown("no such difference", field="name")
    subject = difference.subject
    if subject.startswith(f"companies/{company}/settlements/"):
        return Explanation(subject, (_of_settlement(uow.settlements.get(subject), uow),))
    if is_doubt(subject):
        return Explanation(subject, (_of_doubt(difference, uow),))
    if statement := statement_of_link(subject):
        return Explanation(subject, (_of_link(uow.statements.get(statement), difference, uow),))
    if subject.startswith(f"companies/{company}/statements/"):
        return Explanation(subject, (_of_statement(uow.statements.get(subject)),))
    if subject.startswith("sources/"):
        reason = next((event.reason for event in uow.events.set_aside(company) if event.event.name == subject), "")
        recorded = Predicate("recorded", subject, reason, held=not reason)
        return Explanation(subject, (Trial("recorded_in_ledger", "", not reason, (recorded,)),))
    return _of_posting(company, subject, uow)


def _of_doubt(difference: Difference, uow: ReconUow) -> Trial:
    """What the file should have shown, and what it shows."""
    name, sequence = place_of(difference.subject)
    statement = uow.statements.get(name)
    reason, amount = difference.reason, difference.amount
    event = uow.statements.event_of(name, sequence) if sequence else ""
    line = next(iter(uow.events.find([event])), None)
    if reason == "STATEMENT_CHANGED":
        return Trial(reason.lower(), "", False, tuple(_of_changed(statement, uow)))
    if reason == "LINE_AMBIGUOUS" and line is not None:
        same = Predicate("amount", str(amount), str(line.amount), amount == line.amount)
        proved = Predicate("reference", "", "", held=False)
        return Trial(reason.lower(), event, False, (same, proved))
    if reason in SUMS and line is not None:
        summed = Predicate(SUMS[reason], str(line.amount), str(line.amount - amount), held=False)
        return Trial(reason.lower(), event, False, (summed,))
    left = "" if line is None else str(line.amount)
    return Trial(reason.lower(), event, False, (Predicate(reason.lower(), left, difference.message, held=False),))


def _of_changed(statement: BankStatement, uow: ReconUow) -> list[Predicate]:
    dropped = {event for events in uow.statements.earlier_copies(statement, excluding=()).values() for event in events}
    shown = sorted(dropped)[:SHOWN]
    lines = {event.name: event.amount for event in uow.events.find(shown)}
    return [Predicate(f"line {name}", str(lines[name]), "not in the statement", held=False) for name in shown]


def _of_statement(statement: BankStatement) -> Trial:
    """Whether its balances prove its lines."""
    gap, closing = statement.gap, statement.closing
    computed = "" if gap is None or closing is None else str(closing - gap)
    tie = Predicate("closing_balance", computed, "" if closing is None else str(closing), held=bool(statement.ties))
    return Trial("balances_tie", statement.name, bool(statement.ties), (tie,))


def _of_link(statement: BankStatement, difference: Difference, uow: ReconUow) -> Trial:
    """Whether it begins with what the statement before it ended with."""
    before = uow.statements.get(difference.nearest)
    follows = Predicate("opening_balance", str(before.closing), str(statement.opening), held=False)
    return Trial("statement_follows", before.name, False, (follows,))


def _of_posting(company: str, key: str, uow: ReconUow) -> Explanation:
    item = uow.items.find([key]).get(key)
    if item is None or item.company != company:
        raise ExplanationUnknown("nothing of that name stands in the books", field="name")
    trials: list[Trial] = []
    for match in uow.matches.of_posting(company, key):
        if match.state is not MatchState.UNDONE:
            trials += _of_match(match, uow)
    if not trials:
        trials = _of_item(item, uow)
    return Explanation(key, tuple(trials))


def _of_item(item: Item, uow: ReconUow) -> list[Trial]:
    """Of what is in no match."""
    if item.kind is ItemKind.TRANSACTION:
        words = " ".join(item.words)
        order = Predicate("order", words, "no open invoice of this order", held=not item.receipt_open)
        return [Trial("receipt_of_order", "", not item.receipt_open, (order,))]
    open_items = uow.items.open_side(item.company)
    payouts = [item.source_id for item in open_items if item.kind is ItemKind.PAYOUT]
    targets = targets_of(open_items, uow.settlements.of_payouts(item.company, payouts))
    lines = bank_items([item for item in open_items if item.kind is ItemKind.BANK_LINE], targets)
    if item.kind is ItemKind.BANK_LINE:
        (line,) = bank_items([item], targets)
        return bank_trials(line, targets, lines)
    settlement = _settlement_of(item, uow)
    trials = [] if settlement is None else [_of_settlement(settlement, uow)]
    return trials + target_trials(target_of(item, settlement), lines, targets)


def _of_match(match: Match, uow: ReconUow) -> list[Trial]:
    """The rule that matched, with the comparisons that it made; no other rule of its rank had a candidate."""
    items = uow.items.find([side.posting for side in match.sides])
    anchor = items[match.anchor.posting]
    if match.type is MatchType.PAYOUT_TRANSACTIONS:
        settlement = _settlement_of(anchor, uow)
        if settlement is None:
            raise ExplanationUnknown("the settlement behind the match is gone", field="name")
        return [_of_settlement(settlement, uow, matched=True)]
    member = items[match.members[0].posting]
    target = target_of(member, _settlement_of(member, uow))
    (line,) = bank_items([anchor], [target])
    return bank_trials(line, [target], [])


def _of_settlement(stored: StoredSettlement, uow: ReconUow, *, matched: bool = False) -> Trial:
    payout, items = look_at(stored, uow)
    done = matched or stored.matched
    waiting = [] if done else compositions(stored.settlement.company, uow)
    outcome = next((composition.outcome for composition in waiting if composition.stored.name == stored.name), None)
    claimed = isinstance(outcome, Incomplete) and outcome.lacks == "unique"
    return payout_trial(stored, payout, items, matched=done, claimed=claimed)


def _settlement_of(item: Item, uow: ReconUow) -> StoredSettlement | None:
    if item.kind is not ItemKind.PAYOUT or not item.source_id:
        return None
    name = settlement_name(item.company, item.source_id)
    found = uow.settlements.of_payouts(item.company, [item.source_id])
    return next((settlement for settlement in found if settlement.name == name), None)
