"""Runs the matching rules over what is open, whenever there is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.service.work import WorkContext

from ..domain.learning import BANK_ROLE, CLEARING_ROLE, Item, ItemKind, Verdict
from ..domain.match import Banked, Certificate, Match, MatchSide, MatchState, MatchType
from ..domain.names import match_name
from ..domain.outcome import Result
from ..domain.payouts import Closed, Composed
from ..domain.progress import Progress
from ..domain.rules import PAYOUT_TRANSACTIONS, REVISION
from ..domain.settlement import StoredSettlement
from ..domain.targets import bank_items, targets_of
from ..handlers.compositions import compositions
from ..handlers.ports import Matcher
from ..storage.uow import NewUow, ReconUow

NO_CANDIDATE, AMBIGUOUS, AMOUNT_DIFFERS, UNPROVED = "NO_CANDIDATE", "AMBIGUOUS", "AMOUNT_DIFFERS", "UNPROVED"
CLOSED_ELSEWHERE = "CLOSED_ELSEWHERE"
_TYPES = {
    ItemKind.PAYOUT: MatchType.BANK_PAYOUT,
    ItemKind.INVOICE: MatchType.BANK_INVOICE,
    ItemKind.BILL: MatchType.BANK_INVOICE,
}


@dataclass(frozen=True, slots=True)
class OpenItems:
    """What is open in a company at one moment."""

    progress: Progress
    items: Mapping[str, Item]  # by posting
    composed: Mapping[str, Composed]  # by the settlement's name
    closed: Sequence[str]  # settlements whose payout's clearing line is closed already
    settlements: Sequence[StoredSettlement]
    undone: Mapping[tuple[str, str], int]
    closed_elsewhere: Sequence[str]  # stuck matches whose anchor was closed by somebody else

    @classmethod
    def read(cls, company: str, uow: ReconUow) -> OpenItems:
        items = {item.posting: item for item in uow.items.open_side(company)}
        outcomes = {composition.stored.name: composition.outcome for composition in compositions(company, uow)}
        composed = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Composed)}
        payouts = [item.source_id for item in items.values() if item.kind is ItemKind.PAYOUT]
        lines = [key for key, item in items.items() if item.kind is ItemKind.BANK_LINE]
        anchors = [(kind.value, key) for key in lines for kind in dict.fromkeys(_TYPES.values())]
        anchors += [(MatchType.PAYOUT_TRANSACTIONS.value, outcome.payout.posting) for outcome in composed.values()]
        stuck = uow.matches.failing(company)
        known = uow.items.find([match.anchor.posting for match in stuck])
        return cls(
            progress=uow.progress.get(company),
            items=items,
            composed=composed,
            closed=[name for name, outcome in outcomes.items() if isinstance(outcome, Closed)],
            settlements=uow.settlements.of_payouts(company, payouts),
            undone=uow.matches.generations(company, anchors),
            closed_elsewhere=[match.name for match in stuck if _is_closed(match.anchor, known)],
        )


class MatchWorker:
    """A pass over a company's open items whenever there is news of it.

    The items are read, then matched without any lock; what two passes find twice, the unique index of sides decides.
    """

    def __init__(self, new_uow: NewUow, matcher: Matcher, work: WorkContext) -> None:
        self._new_uow = new_uow
        self._matcher = matcher
        self._work = work

    def run_once(self) -> int:
        """How many matches were made and verdicts changed. Raises `StorageConflict` where another pass was faster."""
        with self._new_uow(read_only=True) as uow:
            due = [progress for progress in uow.progress.all() if progress.matched < progress.changes]
        return sum(self._pass(progress.company) for progress in due)

    def _pass(self, company: str) -> int:
        with self._new_uow(read_only=True) as uow:
            open_items = OpenItems.read(company, uow)
        now = self._work.clock()
        items, progress = open_items.items, open_items.progress
        bank = [item for item in items.values() if item.kind is ItemKind.BANK_LINE]
        targets = targets_of(items.values(), open_items.settlements)
        result = self._matcher(bank_items(bank, targets), targets)
        made = self._composed(open_items, now) + self._paired(open_items, result, now)
        with self._new_uow() as uow:
            uow.matches.undo(open_items.closed_elsewhere, CLOSED_ELSEWHERE, now)
            uow.matches.add(made, now)
            uow.settlements.done(list(open_items.composed), now, proved=True)
            uow.settlements.done(open_items.closed, now, proved=False)
            changed = uow.items.verdicts(_verdicts(bank, result))
            uow.progress.matched(company, progress.changes)
            # Whichever of a payout's two matches comes second completes the way from its transactions to the bank.
            banked = uow.matches.banked([key for match in made for key in _payouts_of(match)])
            uow.commit()
        self._trace(made, banked)
        return len(made) + changed + len(open_items.closed_elsewhere) + len(open_items.closed)

    def _composed(self, open_items: OpenItems, now: datetime) -> list[Match]:
        found = []
        kind, rule = MatchType.PAYOUT_TRANSACTIONS, PAYOUT_TRANSACTIONS
        for outcome in open_items.composed.values():
            anchor, *members = (_side(item, CLEARING_ROLE) for item in outcome.items())
            found.append(self._made(open_items, kind, rule, anchor, tuple(members), now))
        return found

    def _paired(self, open_items: OpenItems, result: Result, now: datetime) -> list[Match]:
        found = []
        for pair in result.pairs:
            bank, target = open_items.items[pair.bank], open_items.items[pair.target]
            anchor, member = _side(bank, BANK_ROLE[bank.kind]), _side(target, BANK_ROLE[target.kind])
            found.append(self._made(open_items, _TYPES[target.kind], pair.rule, anchor, (member,), now))
        return found

    def _made(
        self,
        open_items: OpenItems,
        kind: MatchType,
        rule: str,
        anchor: MatchSide,
        members: tuple[MatchSide, ...],
        now: datetime,
    ) -> Match:
        company = open_items.progress.company
        # A pair that was undone and found again is another match: the ledger keeps its answer to the first.
        generation = open_items.undone.get((kind.value, anchor.posting), 0)
        words = (kind.value, str(generation), anchor.posting, *sorted(side.posting for side in members))
        name = match_name(company, words)
        attributes = {"concord.match": name, "concord.match_type": kind.value}
        with self._work.tracing.step("matched", anchor.transaction_id, None, attributes) as step:
            traceparent = step.traceparent
        return Match(
            name=name,
            company=company,
            type=kind,
            state=MatchState.CONFIRMED,
            anchor=anchor,
            members=members,
            certificate=Certificate(REVISION, rule, candidates=1, snapshot=open_items.progress.token),
            created_at=now,
            traceparent=traceparent,
        )

    def _trace(self, made: Sequence[Match], banked: Sequence[Banked]) -> None:
        for match in made:
            attributes = {"concord.match": match.name, "concord.match_type": match.type.value}
            others = [(name, None) for name in match.transaction_ids if name != match.anchor.transaction_id]
            self._work.tracing.join("matched", others, match.traceparent, attributes)
        for way in banked:
            attributes = {"concord.match": way.match, "concord.match_type": MatchType.BANK_PAYOUT.value}
            transactions = [(transaction, None) for transaction in way.transactions]
            self._work.tracing.join("banked", transactions, way.traceparent, attributes)


def _is_closed(anchor: MatchSide, known: Mapping[str, Item]) -> bool:
    item = known.get(anchor.posting)
    if item is None:
        return False
    return not (item.clearing_open if anchor.role == CLEARING_ROLE else item.side_open)


def _payouts_of(match: Match) -> list[str]:
    """The payouts that a match is of."""
    if match.type is MatchType.BANK_PAYOUT:
        return [side.posting for side in match.members]
    return [match.anchor.posting] if match.type is MatchType.PAYOUT_TRANSACTIONS else []


def _side(item: Item, role: str) -> MatchSide:
    return MatchSide(item.posting, role, item.transaction_id)


def _verdicts(bank: Sequence[Item], result: Result) -> list[Verdict]:
    """For each line that is looked at: why it has no counterpart, or that it has one."""
    verdicts = {item.posting: Verdict(item.posting, NO_CANDIDATE) for item in bank}
    for near in result.nearest:
        reason = AMOUNT_DIFFERS if near.lacks == ("amount",) else NO_CANDIDATE
        verdicts[near.bank] = Verdict(near.bank, reason, near.target, ",".join(near.lacks))
    for doubt in result.ambiguous:
        verdicts[doubt.bank] = Verdict(doubt.bank, AMBIGUOUS, doubt.candidates[0], "unique")
    for proposal in result.proposed:
        verdicts[proposal.bank] = Verdict(proposal.bank, UNPROVED, proposal.target, proposal.lacks)
    for pair in result.pairs:
        verdicts[pair.bank] = Verdict(pair.bank, "")
    return list(verdicts.values())
