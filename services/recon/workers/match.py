"""Runs the matching rules over what is open, whenever there is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.service.work import WorkContext

from ..domain.learning import BANK_ROLE, CLEARING_ROLE, Item, ItemKind, Verdict
from ..domain.match import Certificate, Match, MatchState, MatchType, Member, NewMatch, StoredMatch
from ..domain.names import match_name
from ..domain.outcome import Pair, Result
from ..domain.payouts import Closed, Composed
from ..domain.progress import Progress
from ..domain.rules import PAYOUT_TRANSACTIONS, REVISION, WEAK
from ..domain.settings import Settings
from ..domain.settlement import StoredSettlement
from ..domain.targets import bank_item, targets_of
from ..handlers.compositions import Composition, compositions
from ..handlers.ports import Matcher
from ..storage.uow import NewUow, ReconUow

NO_CANDIDATE, AMBIGUOUS, AMOUNT_DIFFERS = "NO_CANDIDATE", "AMBIGUOUS", "AMOUNT_DIFFERS"
CLOSED_ELSEWHERE = "CLOSED_ELSEWHERE"
_TYPES = {ItemKind.PAYOUT: MatchType.BANK_PAYOUT, ItemKind.INVOICE: MatchType.BANK_INVOICE}


@dataclass(frozen=True, slots=True)
class _Books:
    """What is open in a company at one moment."""

    progress: Progress
    items: Mapping[str, Item]
    compositions: Sequence[Composition]
    settlements: Sequence[StoredSettlement]
    undone: Mapping[tuple[str, str], int]
    elsewhere: Sequence[str]  # stuck matches whose anchor was closed by somebody else


class MatchWorker:
    """A pass over a company's open items whenever there is news of it.

    The books are read, then matched without any lock; what two passes find twice, the unique index of sides decides.
    """

    def __init__(self, new_uow: NewUow, matcher: Matcher, work: WorkContext, settings: Settings) -> None:
        self._new_uow = new_uow
        self._matcher = matcher
        self._work = work
        self._settling = timedelta(seconds=settings.settling_seconds)

    def run_once(self) -> int:
        """How many matches were made and verdicts changed. Raises `StorageConflict` where another pass was faster."""
        with self._new_uow(read_only=True) as uow:
            waiting = [one for one in map(uow.progress.get, uow.progress.companies()) if self._is_due(one)]
        return sum(self._pass(one.company) for one in waiting)

    def _is_due(self, progress: Progress) -> bool:
        settled = progress.match_due_at is not None and progress.match_due_at <= self._work.clock()
        return progress.matched < progress.changes or settled

    def _pass(self, company: str) -> int:
        with self._new_uow(read_only=True) as uow:
            books = _read(company, uow)
        now = self._work.clock()
        bank = [one for one in books.items.values() if one.kind is ItemKind.BANK_LINE]
        result = self._matcher([bank_item(one) for one in bank], targets_of(books.items.values(), books.settlements))
        early = {pair.bank: pair for pair in result.pairs if self._settles_at(books, pair) > now}
        result.pairs = [pair for pair in result.pairs if pair.bank not in early]
        made = self._composed(books, now) + self._paired(books, result, now)
        closed = [one.stored.name for one in books.compositions if isinstance(one.outcome, Closed)]
        with self._new_uow() as uow:
            uow.matches.undo(books.elsewhere, CLOSED_ELSEWHERE, now)
            uow.matches.add(made, now)
            uow.settlements.done([one.settlement for one in made if one.settlement], now, proved=True)
            uow.settlements.done(closed, now, proved=False)
            changed = uow.items.verdicts(_verdicts(bank, result, early))
            due_at = min((self._settles_at(books, pair) for pair in early.values()), default=None)
            uow.progress.matched(company, books.progress.changes, due_at)
            if books.progress.matched >= books.progress.changes:
                uow.progress.news(company)  # time alone brought this pass: those who follow on news must hear of it
            # Whichever of a payout's two matches comes second completes the way from its transactions to the bank.
            banked = uow.matches.banked([key for one in made for key in _payouts_of(one)])
            uow.commit()
        for one in made:
            self._join(one)
        for each in banked:
            attributes = {"concord.match": each.match, "concord.match_type": MatchType.BANK_PAYOUT.value}
            self._work.tracing.join("banked", [(one, None) for one in each.transactions], each.traceparent, attributes)
        return len(made) + changed + len(books.elsewhere) + len(closed)

    def _settles_at(self, books: _Books, pair: Pair) -> datetime:
        """When the pair may be matched."""
        target = books.items[pair.target]
        waits = pair.rule in WEAK and target.kind is ItemKind.INVOICE
        return target.learned_at + self._settling if waits else target.learned_at

    def _composed(self, books: _Books, now: datetime) -> list[NewMatch]:
        found = []
        for one in books.compositions:
            if isinstance(one.outcome, Composed):
                anchor = _member(one.outcome.payout, CLEARING_ROLE)
                members = tuple(_member(each, CLEARING_ROLE) for each in one.outcome.members)
                kind = MatchType.PAYOUT_TRANSACTIONS
                found.append(self._made(books, kind, PAYOUT_TRANSACTIONS, anchor, members, now, one.stored.name))
        return found

    def _paired(self, books: _Books, result: Result, now: datetime) -> list[NewMatch]:
        found = []
        for pair in result.pairs:
            bank, target = books.items[pair.bank], books.items[pair.target]
            anchor, member = _member(bank, BANK_ROLE[bank.kind]), _member(target, BANK_ROLE[target.kind])
            found.append(self._made(books, _TYPES[target.kind], pair.rule, anchor, (member,), now))
        return found

    def _made(
        self,
        books: _Books,
        kind: MatchType,
        rule: str,
        anchor: Member,
        members: tuple[Member, ...],
        now: datetime,
        settlement: str = "",
    ) -> NewMatch:
        company = books.progress.company
        # A pair that was undone and found again is another match: the ledger keeps its answer to the first.
        generation = books.undone.get((kind.value, anchor.posting), 0)
        words = (kind.value, str(generation), anchor.posting, *sorted(one.posting for one in members))
        name = match_name(company, words)
        attributes = {"concord.match": name, "concord.match_type": kind.value}
        with self._work.tracing.step("matched", anchor.transaction_id, None, attributes) as step:
            traceparent = step.traceparent
        match = Match(
            name=name,
            type=kind,
            state=MatchState.CONFIRMED,
            anchor=anchor.posting,
            members=tuple(one.posting for one in members),
            certificate=Certificate(REVISION, rule, candidates=1, snapshot=books.progress.token),
            created_at=now,
        )
        return NewMatch(match, company, anchor, members, traceparent, settlement)

    def _join(self, made: NewMatch) -> None:
        attributes = {"concord.match": made.match.name, "concord.match_type": made.match.type.value}
        mine = [one.transaction_id for one in made.members if one.transaction_id != made.anchor.transaction_id]
        self._work.tracing.join("matched", [(one, None) for one in dict.fromkeys(mine)], made.traceparent, attributes)


def _read(company: str, uow: ReconUow) -> _Books:
    items = {one.posting: one for one in uow.items.open_side(company)}
    found = compositions(company, uow)
    payouts = [one.source_id for one in items.values() if one.kind is ItemKind.PAYOUT]
    anchors = [(kind.value, key) for key, one in items.items() for kind in _TYPES.values() if _anchors(one)]
    anchors += [
        (MatchType.PAYOUT_TRANSACTIONS.value, one.outcome.payout.posting)
        for one in found
        if isinstance(one.outcome, Composed)
    ]
    stuck = uow.matches.failing(company)
    known = uow.items.find([one.anchor.posting for one in stuck])
    return _Books(
        progress=uow.progress.get(company),
        items=items,
        compositions=found,
        settlements=uow.settlements.of_payouts(company, payouts),
        undone=uow.matches.generations(company, anchors),
        elsewhere=[one.match.name for one in stuck if _is_closed(one, known)],
    )


def _anchors(item: Item) -> bool:
    return item.kind is ItemKind.BANK_LINE


def _is_closed(stuck: StoredMatch, known: Mapping[str, Item]) -> bool:
    anchor = known.get(stuck.anchor.posting)
    if anchor is None:
        return False
    return not (anchor.clearing_open if stuck.anchor.role == CLEARING_ROLE else anchor.side_open)


def _payouts_of(made: NewMatch) -> Sequence[str]:
    """The payouts that a match is of."""
    match = made.match
    if match.type is MatchType.BANK_PAYOUT:
        return match.members
    return (match.anchor,) if match.type is MatchType.PAYOUT_TRANSACTIONS else ()


def _member(item: Item, role: str) -> Member:
    return Member(item.posting, role, item.transaction_id)


def _verdicts(bank: Sequence[Item], result: Result, early: Mapping[str, Pair]) -> list[Verdict]:
    """For each line that is looked at: why it has no counterpart, or that it has one."""
    verdicts = {one.posting: Verdict(one.posting, NO_CANDIDATE) for one in bank}
    for near in result.nearest:
        reason = AMOUNT_DIFFERS if near.lacks == ("amount",) else NO_CANDIDATE
        verdicts[near.bank] = Verdict(near.bank, reason, near.target, ",".join(near.lacks))
    for doubt in result.ambiguous:
        verdicts[doubt.bank] = Verdict(doubt.bank, AMBIGUOUS, doubt.candidates[0], "unique")
    for pair in early.values():
        verdicts[pair.bank] = Verdict(pair.bank, NO_CANDIDATE, pair.target, "settled")
    for pair in result.pairs:
        verdicts[pair.bank] = Verdict(pair.bank, "")
    return list(verdicts.values())
