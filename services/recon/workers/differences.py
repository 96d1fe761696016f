"""Keeps the list of what remains: opened when something lacks its counterpart too long, resolved when it is found."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from libs.handover import OutboundEvent
from libs.service.work import WorkContext

from ..domain.chain import missing_statements
from ..domain.difference import Cause, Difference, DifferenceState
from ..domain.doubts import is_doubt
from ..domain.learning import Item, ItemKind
from ..domain.names import difference_name
from ..domain.payouts import Incomplete
from ..domain.progress import Progress
from ..domain.rules import PAYOUT_DAYS
from ..domain.settings import Settings
from ..domain.settlement import StoredSettlement
from ..domain.statement import BankStatement
from ..domain.targets import settlements_by_payout, target_of
from ..handlers.compositions import compositions
from ..storage.uow import NewUow, ReconUow

ACTOR = "recon"
TRANSACTIONS_MISSING = "TRANSACTIONS_MISSING"
PAYMENT_WITHOUT_ORDER = "PAYMENT_WITHOUT_ORDER"
MATCH_NOT_WRITTEN = "MATCH_NOT_WRITTEN"
EVENT_NOT_RECORDED = "EVENT_NOT_RECORDED"
PAYOUT_NOT_BANKED = "PAYOUT_NOT_BANKED"
STATEMENT_DOES_NOT_TIE = "STATEMENT_DOES_NOT_TIE"
REVERSALS_WITH_OTHER_SIGN = "REVERSALS_WITH_OTHER_SIGN"
MESSAGES = {
    "NO_CANDIDATE": "nothing that is open explains this bank line",
    "AMBIGUOUS": "more than one thing may be the other side of this bank line, or it is not the only line for it",
    "UNPROVED": "amount and day fit something open, but the line does not prove that it pays this and nothing else",
    "AMOUNT_DIFFERS": "the bank line names something that is open with another amount",
    STATEMENT_DOES_NOT_TIE: "opening balance and lines do not give the closing balance; ask the bank for another",
    REVERSALS_WITH_OTHER_SIGN: "the balances tie if the lines marked as reversals count the other way: the bank turns "
    "their sign round, the books have them as written; turn them there, and tell the bank",
    PAYOUT_NOT_BANKED: "no bank line shows this payout; ask the provider whether it failed and for its trace",
    PAYMENT_WITHOUT_ORDER: "a customer's payment that no invoice has taken; find its order or give it back",
}


Aging = tuple[datetime, Cause]  # a cause, and since when it stands


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
            due = [(since + self._wait, cause) for since, cause in _causes(company, uow)]
            causes = {cause.subject: cause for at, cause in due if at <= now}
            changes = _changes(company, causes, uow, now)
            uow.differences.save(company, changes, ACTOR)
            uow.progress.differenced(company, progress.matched, min((at for at, _ in due if at > now), default=None))
            uow.commit()
        return len(changes)


def _changes(
    company: str, causes: dict[str, Cause], uow: ReconUow, now: datetime
) -> list[tuple[Difference | None, Difference]]:
    live = {found.subject: found for found in uow.differences.live(company) if not is_doubt(found.subject)}
    names = [difference_name(company, subject) for subject in causes if subject not in live]
    gone = {found.subject: found for found in uow.differences.find(names).values()}
    changes: list[tuple[Difference | None, Difference]] = []
    for subject, cause in sorted(causes.items()):
        before = live.get(subject) or gone.get(subject)
        if before is None:
            changes.append((None, Difference.open(company, cause, now)))
        elif before.state is not DifferenceState.WRITTEN_OFF and (after := before.caused_by(cause, now)) != before:
            changes.append((before, after))
    for subject, before in sorted(live.items()):
        if subject not in causes:
            changes.append((before, before.undecided().changed(now, state=DifferenceState.RESOLVED)))
    return changes


def _causes(company: str, uow: ReconUow) -> list[Aging]:
    undecided = uow.items.undecided(company)
    found = [
        (line.learned_at, _of_item(line, line.verdict, nearest=line.nearest, lacks=line.nearest_lacks))
        for line in undecided
    ]
    found += _of_payouts(company, undecided, uow)
    for composition in compositions(company, uow):
        if isinstance(composition.outcome, Incomplete):
            found.append((composition.imported_at, _of_settlement(composition.stored, composition.outcome)))
    found += _of_receipts(uow.items.open_receipts(company))
    found += _of_stuck(company, uow)
    found += [(stored.event.provenance.received_at, _of_event(stored)) for stored in uow.events.set_aside(company)]
    for statement in uow.statements.unbalanced(company):
        is_turned = uow.files.said_of(statement, REVERSALS_WITH_OTHER_SIGN)
        found.append((statement.imported_at, _of_statement(statement, is_turned=is_turned)))
    found += missing_statements(uow.statements.links(company))
    return found


def _of_item(item: Item, reason: str, message: str = "", *, nearest: str = "", lacks: str = "") -> Cause:
    """With the reason's own message where none is given."""
    return Cause(
        subject=item.posting,
        transaction_id=item.transaction_id,
        reason=reason,
        message=message or MESSAGES[reason],
        amount=item.amount,
        nearest=nearest,
        nearest_lacks=lacks,
    )


def _of_payouts(company: str, undecided: list[Item], uow: ReconUow) -> list[Aging]:
    """Payouts that the bank should have booked, from the day on which amount and day alone no longer match them."""
    payouts = [item for item in uow.items.open_side(company) if item.kind is ItemKind.PAYOUT]
    settlements = settlements_by_payout(uow.settlements.of_payouts(company, [payout.source_id for payout in payouts]))
    expected: Counter[tuple[str, str]] = Counter()
    for payout in payouts:
        expected[payout.interface, payout.source_id] += payout.amount.minor_units
    near = {line.nearest: line for line in undecided}
    found = []
    for payout in payouts:
        paid_out = payout.interface, payout.source_id
        if not expected[paid_out]:
            continue  # it came back and never reached the bank
        late = target_of(payout, settlements.get(paid_out)).day + timedelta(days=PAYOUT_DAYS + 1)
        since = max(payout.learned_at, datetime(late.year, late.month, late.day, tzinfo=UTC))
        line = near.get(payout.posting)
        nearest, lacks = (line.posting, line.nearest_lacks) if line is not None else ("", "bank_line")
        found.append((since, _of_item(payout, PAYOUT_NOT_BANKED, nearest=nearest, lacks=lacks)))
    return found


def _of_settlement(stored: StoredSettlement, lack: Incomplete) -> Cause:
    return Cause(
        subject=stored.name,
        transaction_id=stored.transaction_id,
        reason=TRANSACTIONS_MISSING,
        message=lack.message,
        amount=stored.settlement.amount,
        nearest=lack.missing,
        nearest_lacks=lack.lacks,
    )


def _of_receipts(items: list[Item]) -> list[Aging]:
    """One a payment: where its receivable was moved to another customer, two postings stand for it for a moment."""
    first = {item.event: item for item in reversed(items)}
    return [(item.learned_at, _of_item(item, PAYMENT_WITHOUT_ORDER)) for item in first.values()]


def _of_stuck(company: str, uow: ReconUow) -> list[Aging]:
    """Matches that the ledger cannot write."""
    stuck = uow.matches.failing(company)
    anchors = uow.items.find([match.anchor.posting for match in stuck])
    found = []
    for match in stuck:
        if (anchor := anchors.get(match.anchor.posting)) is not None:
            message = f"the match could not be written: {match.reason}; see the ledger's exceptions"
            nearest = match.members[0].posting
            cause = _of_item(anchor, MATCH_NOT_WRITTEN, message, nearest=nearest, lacks="written")
            found.append((match.created_at, cause))
    return found


def _of_event(stored: OutboundEvent) -> Cause:
    return Cause(
        subject=stored.event.name,
        transaction_id=stored.event.transaction_id,
        reason=EVENT_NOT_RECORDED,
        message=f"the ledger does not have this: {stored.reason}; send the file again once the cause is mended",
        amount=stored.event.amount,
        nearest_lacks="recorded",
    )


def _of_statement(statement: BankStatement, *, is_turned: bool) -> Cause:
    reason = REVERSALS_WITH_OTHER_SIGN if is_turned else STATEMENT_DOES_NOT_TIE
    assert statement.gap is not None, "both balances are stated, or it is not among them"
    return Cause(
        subject=statement.name,
        transaction_id=statement.transaction_id,
        reason=reason,
        message=MESSAGES[reason],
        amount=statement.gap,
        nearest_lacks="amount",
    )
