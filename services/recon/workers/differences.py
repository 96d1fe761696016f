"""Keeps the list of what remains: opened when something lacks its counterpart too long, resolved when it is found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from libs.handover import OutboundEvent
from libs.money import Money
from libs.service.work import WorkContext

from ..domain.difference import Difference, DifferenceState
from ..domain.doubts import is_doubt
from ..domain.learning import Item, ItemKind
from ..domain.match import Match
from ..domain.names import difference_name
from ..domain.payouts import Incomplete
from ..domain.progress import Progress
from ..domain.rules import PAYOUT_DAYS
from ..domain.settings import Settings
from ..domain.statement import BankStatement
from ..domain.targets import settlements_by_payout, target_of
from ..handlers.compositions import Composition, compositions
from ..storage.uow import NewUow, ReconUow

ACTOR = "recon"
TRANSACTIONS_MISSING = "TRANSACTIONS_MISSING"
PAYMENT_WITHOUT_ORDER = "PAYMENT_WITHOUT_ORDER"
MATCH_NOT_WRITTEN = "MATCH_NOT_WRITTEN"
EVENT_NOT_RECORDED = "EVENT_NOT_RECORDED"
PAYOUT_NOT_BANKED = "PAYOUT_NOT_BANKED"
STATEMENT_DOES_NOT_TIE = "STATEMENT_DOES_NOT_TIE"
MESSAGES = {
    "NO_CANDIDATE": "nothing that is open explains this bank line",
    "AMBIGUOUS": "more than one thing may be the other side of this bank line, or it is not the only line for it",
    "AMOUNT_DIFFERS": "the bank line names something that is open with another amount",
    STATEMENT_DOES_NOT_TIE: "opening balance and lines do not give the closing balance; ask the bank for another",
    PAYOUT_NOT_BANKED: "no bank line shows this payout; ask the provider whether it failed and for its trace",
    PAYMENT_WITHOUT_ORDER: "a customer's payment that no invoice has taken; find its order or give it back",
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A difference that there should be, since a time."""

    since: datetime
    subject: str
    transaction_id: str
    reason: str
    message: str
    amount: Money
    nearest: str = ""
    nearest_lacks: str = ""


class DifferenceWorker:
    """Compares what should be listed with what is; runs after each match pass and when something grows old enough."""

    def __init__(self, new_uow: NewUow, work: WorkContext, settings: Settings) -> None:
        self._new_uow = new_uow
        self._work = work
        self._wait = timedelta(seconds=settings.evidence_wait_seconds)

    def run_once(self) -> int:
        """How many differences were opened, changed or resolved. Raises `DifferenceChanged` if a person was faster."""
        with self._new_uow(read_only=True) as uow:
            due = [progress for progress in uow.progress.all() if self._is_due(progress)]
        return sum(self._compare(progress.company) for progress in due)

    def _is_due(self, progress: Progress) -> bool:
        grown_old = progress.due_at is not None and progress.due_at <= self._work.clock()
        return progress.differenced < progress.matched or grown_old

    def _compare(self, company: str) -> int:
        now = self._work.clock()
        with self._new_uow() as uow:
            progress = uow.progress.get(company)
            wanted = _wanted(company, uow)
            old = {one.subject: one for one in wanted if one.since + self._wait <= now}
            young = [one.since + self._wait for one in wanted if one.since + self._wait > now]
            changes = _changes(company, old, uow, now)
            uow.differences.save(company, changes, ACTOR)
            uow.progress.differenced(company, progress.matched, min(young, default=None))
            uow.commit()
        return len(changes)


def _changes(
    company: str, wanted: dict[str, _Wanted], uow: ReconUow, now: datetime
) -> list[tuple[Difference | None, Difference]]:
    live = {one.subject: one for one in uow.differences.live(company) if not is_doubt(one.subject)}
    names = {difference_name(company, subject): subject for subject in wanted if subject not in live}
    gone = {one.subject: one for one in uow.differences.find(sorted(names)).values()}
    changes: list[tuple[Difference | None, Difference]] = []
    for subject, want in sorted(wanted.items()):
        before = live.get(subject) or gone.get(subject)
        if before is not None and before.state is DifferenceState.WRITTEN_OFF:
            continue
        after = _told(company, want, before, now)
        if before is None or after != before:
            changes.append((before, after))
    for subject, before in sorted(live.items()):
        if subject not in wanted:
            version = before.version + 1
            resolved = replace(before.undecided(), state=DifferenceState.RESOLVED, updated_at=now, version=version)
            changes.append((before, resolved))
    return changes


def _told(company: str, want: _Wanted, before: Difference | None, now: datetime) -> Difference:
    """The difference as it should be; `before` itself if it is."""
    told = {
        "reason": want.reason,
        "message": want.message,
        "amount": want.amount,
        "nearest": want.nearest,
        "nearest_lacks": want.nearest_lacks,
    }
    if before is None:
        name = difference_name(company, want.subject)
        return Difference(
            name=name,
            state=DifferenceState.OPEN,
            subject=want.subject,
            transaction_id=want.transaction_id,
            created_at=now,
            updated_at=now,
            **told,  # type: ignore[arg-type]
        )
    state = DifferenceState.OPEN if before.state is DifferenceState.RESOLVED else before.state
    same = replace(before, state=state, **told)  # type: ignore[arg-type]
    if (same.state, same.reason, same.amount) != (before.state, before.reason, before.amount):
        same = same.undecided()
    return before if same == before else replace(same, updated_at=now, version=before.version + 1)


def _wanted(company: str, uow: ReconUow) -> list[_Wanted]:
    undecided = uow.items.undecided(company)
    found = [_of_bank_line(one) for one in undecided]
    found += _of_payouts(company, undecided, uow)
    for one in compositions(company, uow):
        if isinstance(one.outcome, Incomplete):
            found.append(_of_settlement(one, one.outcome))
    found += _of_receipts(uow.items.open_receipts(company))
    stuck = uow.matches.failing(company)
    anchors = uow.items.find([one.anchor.posting for one in stuck])
    found += [_of_match(match, anchors[match.anchor.posting]) for match in stuck if match.anchor.posting in anchors]
    found += [_of_event(event) for event in uow.events.set_aside(company)]
    found += [_of_statement(one) for one in uow.statements.unbalanced(company)]
    return found


def _of_bank_line(item: Item) -> _Wanted:
    return _Wanted(
        since=item.learned_at,
        subject=item.posting,
        transaction_id=item.transaction_id,
        reason=item.verdict,
        message=MESSAGES[item.verdict],
        amount=item.amount,
        nearest=item.nearest,
        nearest_lacks=item.nearest_lacks,
    )


def _of_payouts(company: str, undecided: list[Item], uow: ReconUow) -> list[_Wanted]:
    """Payouts that the bank should have booked, from the day on which amount and day alone no longer match them."""
    payouts = [one for one in uow.items.open_side(company) if one.kind is ItemKind.PAYOUT]
    settlements = settlements_by_payout(uow.settlements.of_payouts(company, [one.source_id for one in payouts]))
    expected: Counter[tuple[str, str]] = Counter()
    for one in payouts:
        expected[one.interface, one.source_id] += one.amount.minor_units
    near = {one.nearest: one for one in undecided}
    found = []
    for one in payouts:
        paid_out = one.interface, one.source_id
        if not expected[paid_out]:
            continue  # it came back and never reached the bank
        late = target_of(one, settlements.get(paid_out)).day + timedelta(days=PAYOUT_DAYS + 1)
        line = near.get(one.posting)
        found.append(
            _Wanted(
                since=max(one.learned_at, datetime(late.year, late.month, late.day, tzinfo=UTC)),
                subject=one.posting,
                transaction_id=one.transaction_id,
                reason=PAYOUT_NOT_BANKED,
                message=MESSAGES[PAYOUT_NOT_BANKED],
                amount=one.amount,
                nearest=line.posting if line is not None else "",
                nearest_lacks=line.nearest_lacks if line is not None else "bank_line",
            )
        )
    return found


def _of_settlement(one: Composition, lack: Incomplete) -> _Wanted:
    stored = one.stored
    return _Wanted(
        since=one.told_at,
        subject=stored.name,
        transaction_id=stored.transaction_id,
        reason=TRANSACTIONS_MISSING,
        message=lack.message,
        amount=stored.settlement.amount,
        nearest=lack.missing,
        nearest_lacks=lack.lacks,
    )


def _of_receipts(items: list[Item]) -> list[_Wanted]:
    """One a payment: where its receivable was moved to another customer, two postings stand for it for a moment."""
    first = {one.event: one for one in reversed(items)}
    return [
        _Wanted(
            since=one.learned_at,
            subject=one.posting,
            transaction_id=one.transaction_id,
            reason=PAYMENT_WITHOUT_ORDER,
            message=MESSAGES[PAYMENT_WITHOUT_ORDER],
            amount=one.amount,
        )
        for one in first.values()
    ]


def _of_match(stuck: Match, anchor: Item) -> _Wanted:
    return _Wanted(
        since=stuck.created_at,
        subject=anchor.posting,
        transaction_id=anchor.transaction_id,
        reason=MATCH_NOT_WRITTEN,
        message=f"the match could not be written: {stuck.reason}; see the ledger's exceptions",
        amount=anchor.amount,
        nearest=stuck.members[0].posting,
        nearest_lacks="written",
    )


def _of_event(one: OutboundEvent) -> _Wanted:
    return _Wanted(
        since=one.event.provenance.received_at,
        subject=one.event.name,
        transaction_id=one.event.transaction_id,
        reason=EVENT_NOT_RECORDED,
        message=f"the ledger does not have this: {one.reason}; send the file again once the cause is mended",
        amount=one.event.amount,
        nearest_lacks="recorded",
    )


def _of_statement(one: BankStatement) -> _Wanted:
    gap = one.gap
    assert gap is not None  # both balances are stated, or it is not among them
    return _Wanted(
        since=one.imported_at,
        subject=one.name,
        transaction_id=one.transaction_id,
        reason=STATEMENT_DOES_NOT_TIE,
        message=MESSAGES[STATEMENT_DOES_NOT_TIE],
        amount=gap,
        nearest_lacks="amount",
    )
