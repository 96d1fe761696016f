"""Writes confirmed matches to Odoo: suspense moves to its counterpart, then both are reconciled.

Each match is looked at just before it is written, since Odoo 19 silently undoes the reconciliation of an item that is
moved; what has become of all of them is read back at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from libs.errors import ConcordError
from libs.errors.retry import RetryPolicy
from libs.odoo.errors import (
    OdooConflict,
    OdooDenied,
    OdooError,
    OdooOutcomeUnknown,
    OdooRefused,
    OdooUnavailable,
)
from libs.service.work import WorkContext

from ..domain.case import Doubt
from ..domain.match import AppliedMatch, AppliedMatchState, AppliedMatchType
from ..domain.posting import LEDGER, Posting
from ..domain.posting_changes import NEVER, parked
from ..domain.role import Role
from ..domain.states import ENDED_UNPOSTED, PostingState
from ..domain.view import DocumentView, LineView
from ..handlers.ports import JournalPort, MasterdataPort
from ..storage.uow import NewUow
from .open_lines import (
    Views,
    exchanges_of,
    lines_with,
    note_exchanges,
    note_outcomes,
    outcomes_of,
    reconcile,
    role_of,
    views_of,
)
from .post import PATIENT

_PASSING = (OdooUnavailable, OdooDenied, OdooConflict, OdooOutcomeUnknown)
_COUNTERPARTS = {
    AppliedMatchType.BANK_PAYOUT: (Role.TRANSIT,),
    AppliedMatchType.BANK_INVOICE: (Role.RECEIVABLE, Role.PAYABLE),  # a customer's or a supplier's
}


@dataclass(slots=True)
class MatchInHand:
    """A claimed match with its postings; `touched` are the journal items that it joins in Odoo."""

    match: AppliedMatch
    postings: dict[str, Posting]
    touched: list[int] = field(default_factory=list)

    @property
    def posted(self) -> list[Posting]:
        return [posting for posting in self.postings.values() if posting.state is PostingState.POSTED]

    @property
    def is_ready(self) -> bool:
        return len(self.posted) == len(set(self.match.keys))

    @property
    def never_will_be(self) -> bool:
        return any(posting.state in ENDED_UNPOSTED for posting in self.postings.values())


@dataclass(frozen=True, slots=True)
class WriteMatchWorker:
    """Carries matches from PENDING to WRITTEN once all their postings are posted."""

    new_uow: NewUow
    journal_of: Callable[[str], JournalPort]
    masterdata: MasterdataPort
    work: WorkContext
    batch: int = 20
    retry: RetryPolicy = PATIENT
    lease_seconds: float = 180.0
    wait_seconds: tuple[float, float] = (2.0, 60.0)  # for a posting that is not posted yet: a tenth of the match's age

    def run_once(self) -> int:
        """The number of matches taken up."""
        claimed = self._claim()
        joined: list[MatchInHand] = []
        away: ConcordError | None = None
        for held in claimed:
            if away is not None and held.is_ready:
                self._try_later(held, away.reason)
            else:
                away = self._carry(held, joined) or away
        if away is None:
            self._read_back(joined)
        else:
            for held in joined:
                self._try_later(held, away.reason)
        return len(claimed)

    def _claim(self) -> list[MatchInHand]:
        """Matches that are due, all of one company."""
        now = self.work.clock()
        with self.new_uow() as uow:
            for company in uow.matches.companies_due():
                matches = uow.matches.claim(
                    company, limit=self.batch, owner=self.work.owner, now=now, lease_seconds=self.lease_seconds
                )
                if matches:
                    postings = uow.postings.find([key for match in matches for key in match.keys])
                    uow.commit()
                    return [
                        MatchInHand(match, {key: postings[key] for key in match.keys if key in postings})
                        for match in matches
                    ]
        return []

    def _carry(self, held: MatchInHand, joined: list[MatchInHand]) -> ConcordError | None:
        """Add the match to those that are joined in Odoo. Why Odoo gives no answer at all, if it does not."""
        if held.never_will_be:
            self._refuse(held, "MATCH_WITHOUT_POSTING", "it names postings that never reach the books")
            return None
        if not held.is_ready:
            self._wait(held)
            return None
        if not self._renew(held):
            return None  # the ones before it took long: it is another worker's by now
        try:
            held.touched = self._join(held, self.journal_of(held.match.company))
            joined.append(held)
        except ConcordError as error:
            return self._failed(held, error)
        return None

    def _read_back(self, joined: Sequence[MatchInHand]) -> None:
        """One look for all of them; what ends it is narrowed down to the one match."""
        mine = [held for held in joined if self._renew(held)]
        if not mine:
            return
        try:
            journal = self.journal_of(mine[0].match.company)
            views = views_of(journal, [posting for held in mine for posting in held.posted])
            moves = journal.exchange_moves(sorted({line for held in mine for line in held.touched}))
        except ConcordError as error:
            if len(mine) == 1 or isinstance(error, OdooUnavailable | OdooDenied):
                for held in mine:
                    self._failed(held, error)
            else:
                half = len(mine) // 2
                self._read_back(mine[:half])
                self._read_back(mine[half:])
            return
        for held in mine:
            try:
                self._written(held, views, exchanges_of(held.touched, moves))
            except ConcordError as error:
                self._failed(held, error)

    def _join(self, held: MatchInHand, journal: JournalPort) -> list[int]:
        """Reconcile what the match joins; the ids of the journal items."""
        match, postings = held.match, held.postings
        views = views_of(journal, postings.values())
        if any(key not in views or not views[key].is_posted for key in postings):
            raise DocumentGone("match", "Odoo no longer has one of the documents, or not as a posted one")
        if match.type is AppliedMatchType.PAYOUT_TRANSACTIONS:
            lines = [line for key in postings for line in lines_with(postings[key], views[key], Role.CLEARING)]
        else:
            roles = _COUNTERPARTS[match.type]
            lines = [line for key in match.members for line in lines_with(postings[key], views[key], *roles)]
            if lines:
                anchor = postings[match.anchor]
                lines.append(self._unsuspended(anchor, views[anchor.key], journal, lines[0]))
        if len(lines) < 2:
            raise MatchUnfit("match", "the postings bear no lines that this type of match could join")
        ids = [line.odoo_id for line in lines]
        if any(not line.reconciled for line in lines):
            reconcile(journal, ids)
        return ids

    def _unsuspended(
        self, anchor: Posting, view: DocumentView, journal: JournalPort, counterpart: LineView
    ) -> LineView:
        """The bank line's suspense item, moved to the counterpart's account and partner if it is not there yet."""
        items = lines_with(anchor, view, Role.SUSPENSE, Role.MOVED)
        if not items:
            raise MatchUnfit("match", "the match's anchor is no bank line")
        if len(items) > 1:
            raise MatchedElsewhere("match", "the bank line was split in Odoo")
        (item,) = items
        if (item.account_id, item.partner_id) == (counterpart.account_id, counterpart.partner_id):
            return item
        if role_of(anchor, item) is not Role.SUSPENSE:
            # Odoo 19 would silently undo the reconciliation that moved it.
            raise MatchedElsewhere("match", "the bank line stands on another counterpart")
        journal.move_to_account(item.odoo_id, counterpart.account_id, counterpart.partner_id)
        moved = journal.lines([item.odoo_id])
        if not moved:
            raise DocumentGone("match", "the bank line was taken away while it was matched")
        return moved[0]

    def _renew(self, held: MatchInHand) -> bool:
        """Keep the lease; false if it was lost."""
        with self.new_uow() as uow:
            kept = uow.matches.renew(held.match, now=self.work.clock(), lease_seconds=self.lease_seconds)
            uow.commit()
        held.match = kept or held.match
        return kept is not None

    def _written(self, held: MatchInHand, views: Views, exchanges: Sequence[DocumentView]) -> None:
        """WRITTEN with what is open now; looked at once more where a posting was changed since the claim."""
        now, match = self.work.clock(), held.match
        with self.new_uow() as uow:
            if noted := note_outcomes(uow, held.posted, outcomes_of(held.posted, views), now):
                after = replace(match, state=AppliedMatchState.WRITTEN, written_at=now, reason="", reason_text="")
            else:
                after = replace(match, available_at=now)
            if not uow.matches.finish([(match, after)], now, LEDGER):
                return  # another worker has it by now; what we noted is rolled back
            note_exchanges(uow, self.masterdata, match.name, held.postings[match.anchor], exchanges, now)
            if noted:
                uow.cases.resolve([match.name], "written", now)
            uow.commit()

    def _failed(self, held: MatchInHand, error: ConcordError) -> ConcordError | None:
        """The error again if it means that Odoo gives no answer at all: nor will the others get one."""
        if isinstance(error, OdooError) and not isinstance(error, _PASSING):
            self._refuse(held, error.reason, error.message)
        else:  # or masterdata does not say where the books are
            self._try_later(held, error.reason)
        return error if isinstance(error, OdooUnavailable | OdooDenied) else None

    def _refuse(self, held: MatchInHand, reason: str, text: str) -> None:
        """A person must look."""
        after = replace(held.match, state=AppliedMatchState.EXCEPTION, reason=reason, reason_text=text)
        doubt = Doubt(reason, "Odoo refused this match; its words are on the match", actions=("retry",))
        self._finish(held, after, doubt)

    def _wait(self, held: MatchInHand) -> None:
        """For postings that are not posted yet; the longer, the less often it is looked at."""
        now, (least, most) = self.work.clock(), self.wait_seconds
        pause = min(most, max(least, (now - held.match.created_at).total_seconds() / 10))
        at = now + timedelta(seconds=pause)
        self._finish(held, replace(held.match, available_at=at, attempts=0, reason="WAITS_FOR_POSTING"))

    def _try_later(self, held: MatchInHand, reason: str) -> None:
        """After a pause; parked with a case once the budget is spent."""
        at = self.retry.next_try(held.match.attempts, self.work.clock(), self.work.rng)
        after = replace(held.match, available_at=at or NEVER, parked=at is None, reason=reason)
        self._finish(held, after, parked(reason) if at is None else None)

    def _finish(self, held: MatchInHand, after: AppliedMatch, doubt: Doubt | None = None) -> None:
        now, match = self.work.clock(), held.match
        with self.new_uow() as uow:
            if uow.matches.finish([(match, after)], now, LEDGER) and doubt is not None:
                uow.cases.open([(match.name, held.postings[match.anchor], doubt)], now)
            uow.commit()


class MatchedElsewhere(OdooRefused):
    """The bank line was matched with something else, by another match or by hand in Odoo."""

    reason = "MATCHED_ELSEWHERE"


class DocumentGone(OdooRefused):
    """What we posted is not in the books any more."""

    reason = "ODOO_DOCUMENT_GONE"


class MatchUnfit(OdooRefused):
    """The match's type does not suit its postings."""

    reason = "MATCH_UNFIT"
