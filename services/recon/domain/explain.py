"""Why two things matched, or why a thing did not: each rule tried, derived again from what the rules saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from libs.money import Money

from .items import BankItem, Target
from .learning import Item
from .payouts import Composed, compose
from .rules import PAYOUT_TRANSACTIONS, RULES, Rule
from .settlement import StoredSettlement
from .targets import TOKENS_SHOWN

SHOWN = 5  # candidates of a rule


@dataclass(frozen=True, slots=True)
class Predicate:
    """What was compared with what, and whether it held."""

    name: str
    left: str
    right: str
    held: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule tried on one candidate."""

    rule: str
    candidate: str
    matched: bool
    predicates: tuple[Predicate, ...]


def bank_trials(line: BankItem, targets: Sequence[Target], lines: Sequence[BankItem]) -> list[Trial]:
    """Each rule in order with its nearest candidates. `lines` are the line's rivals, itself among them or not."""
    found: list[Trial] = []
    for rule in RULES:
        of_kind = sorted(
            (target for target in targets if target.kind is rule.kind), key=lambda near: _distance(line, near)
        )
        shown = of_kind[:SHOWN]
        fitting = [target for target in of_kind if _holds(rule, line, target)]
        shown += [target for target in fitting if target not in shown][:SHOWN]
        found += [_trial(rule, line, target, target.posting, fitting, lines) for target in shown]
        if any(trial.matched for trial in found):
            break
    return found


def target_trials(target: Target, lines: Sequence[BankItem], targets: Sequence[Target]) -> list[Trial]:
    """The same, seen from what should arrive at the bank."""
    found: list[Trial] = []
    for rule in RULES:
        if rule.kind is not target.kind:
            continue
        for line in sorted(lines, key=lambda line: _distance(line, target))[:SHOWN]:
            fitting = [near for near in targets if _holds(rule, line, near)]
            found.append(_trial(rule, line, target, line.posting, fitting, lines))
    return found


def payout_trial(
    stored: StoredSettlement,
    payout: Item | None,
    items: Mapping[str, Sequence[Item]],
    *,
    matched: bool = False,
    claimed: bool = False,
) -> Trial:
    """A payout against its transactions: each line with what is posted of it; `claimed` if another payout wants one."""
    settlement = stored.settlement
    outcome = compose(stored, payout, items)
    net = sum(line.net.minor_units for line in settlement.lines)
    posted = "" if payout is None else _units(-payout.clearing_units, settlement.amount.currency)
    predicates = [
        Predicate("lines", str(len(settlement.lines)), "at least 1", bool(settlement.lines)),
        Predicate("amount", _units(net, settlement.amount.currency), str(settlement.amount), stored.ties),
        Predicate("posted", str(settlement.amount), posted, payout is not None and net == -payout.clearing_units),
    ]
    for line in settlement.lines:
        found = [item for item in items.get(line.balance_transaction, ()) if item.clearing_units]
        cleared = sum(item.clearing_units for item in found)
        expected = bool(line.gross) + bool(line.fee)
        held = len(found) == expected and cleared == line.net.minor_units
        right = _units(cleared, line.net.currency) if found else "not posted"
        predicates.append(Predicate(f"transaction {line.balance_transaction}", str(line.net), right, held))
    if claimed:
        predicates.append(Predicate("unique", "claimed by another payout", "1 payout", held=False))
    candidate = payout.posting if payout is not None else settlement.payout_transaction or settlement.payout_id
    composed = isinstance(outcome, Composed) and not claimed
    return Trial(PAYOUT_TRANSACTIONS, candidate, matched or composed, tuple(predicates))


def _trial(
    rule: Rule,
    line: BankItem,
    target: Target,
    candidate: str,
    fitting: Sequence[Target],
    lines: Sequence[BankItem],
) -> Trial:
    first = target.day - timedelta(days=rule.days_before)
    last = target.day + timedelta(days=rule.days_after)
    predicates = [
        Predicate("currency", line.amount.currency, target.amount.currency, _same_currency(line, target)),
        Predicate("amount", str(line.amount), str(target.amount), line.amount == target.amount),
    ]
    if rule.by_reference:
        shared = bool(line.tokens & target.tokens)
        predicates.append(Predicate("reference", _words(line.tokens), _words(target.tokens), shared))
    predicates.append(Predicate("date_window", line.day.isoformat(), f"{first}..{last}", first <= line.day <= last))
    holds = all(predicate.held for predicate in predicates)
    if not rule.by_reference:
        predicates.append(Predicate("evidence", "amount and day", "a number or trace of the target", held=False))
    if line.contradiction:
        predicates.append(Predicate("contradiction", line.contradiction, _words(target.tokens), held=False))
    # A line that means the target by a stronger rule and is in doubt itself keeps the weaker ones off.
    stronger = RULES[: RULES.index(rule) + 1]
    others = (item for item in lines if item.posting != line.posting)
    rivals = [other for other in others if any(_holds(each, other, target) for each in stronger)]
    if holds:
        more = [near for near in fitting if near.posting != target.posting]
        left, right = f"{1 + len(rivals)} lines", f"{1 + len(more)} candidates"
        predicates.append(Predicate("unique", left, right, not rivals and not more))
    return Trial(rule.name, candidate, all(predicate.held for predicate in predicates), tuple(predicates))


def _holds(rule: Rule, line: BankItem, target: Target) -> bool:
    days = (line.day - target.day).days
    return (
        rule.kind is target.kind
        and line.amount == target.amount
        and -rule.days_before <= days <= rule.days_after
        and (not rule.by_reference or bool(line.tokens & target.tokens))
    )


def _distance(line: BankItem, target: Target) -> tuple[bool, bool, int, int, str, str]:
    gap = abs(target.amount.minor_units - line.amount.minor_units)
    far = abs((target.day - line.day).days)
    shares = bool(line.tokens & target.tokens)
    return not _same_currency(line, target), not shares, gap, far, target.posting, line.posting


def _same_currency(line: BankItem, target: Target) -> bool:
    return line.amount.currency == target.amount.currency


def _words(tokens: frozenset[str]) -> str:
    return " ".join(sorted(tokens)[:TOKENS_SHOWN])


def _units(units: int, currency: str) -> str:
    return str(Money(currency, units))
