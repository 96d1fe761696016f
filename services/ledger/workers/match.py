"""Writes confirmed matches to Odoo: suspense moves to its counterpart, then both are reconciled.

Each match is looked at just before it is written, since Odoo 19 silently undoes the reconciliation of an item that is
moved; what has become of all of them is read back at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from libs.errors import ConcordError
from libs.events import Clock
from libs.odoo.errors import (
    OdooConflict,
    OdooDenied,
    OdooError,
    OdooOutcomeUnknown,
    OdooRefused,
    OdooUnavailable,
)

from ..domain.match import MatchType
from ..domain.role import Role
from ..domain.view import DocumentView, LineView
from ..handlers.ports import Journal
from ..handlers.posting_ports import Booked, MatchClaim, MatchQueue
from .open_lines import exchanges_of, lines_with, outcomes_of, reconcile, role_of, views_of

_PASSING = (OdooUnavailable, OdooDenied, OdooConflict, OdooOutcomeUnknown)
_COUNTERPART = {MatchType.BANK_PAYOUT: Role.TRANSIT, MatchType.BANK_INVOICE: Role.RECEIVABLE}


@dataclass(frozen=True, slots=True)
class _Joined:
    """A match that Odoo shows by now; `touched` are the journal items that it joins."""

    match: MatchClaim
    journal: Journal
    touched: list[int]


@dataclass(frozen=True, slots=True)
class MatchWorker:
    """Carries matches from PENDING to WRITTEN once all their postings are posted."""

    queue: MatchQueue
    journal_of: Callable[[str], Journal]
    clock: Clock
    batch: int = 20

    def run_once(self) -> int:
        """The number of matches taken up."""
        claims = self.queue.claim(self.clock(), self.batch)
        joined: list[_Joined] = []
        away: ConcordError | None = None
        for match in claims:
            if away is not None and match.is_ready:
                self.queue.later(match, away.reason, self.clock())
            else:
                away = self._carry(match, joined) or away
        if away is None:
            self._read_back(joined)
        else:
            for one in joined:
                self.queue.later(one.match, away.reason, self.clock())
        return len(claims)

    def _carry(self, match: MatchClaim, joined: list[_Joined]) -> ConcordError | None:
        """Add the match to those that are joined in Odoo. Why Odoo gives no answer at all, if it does not."""
        if match.ended:
            self.queue.refused(
                match, "MATCH_WITHOUT_POSTING", "it names postings that never reach the books", self.clock()
            )
            return None
        if not match.is_ready:
            self.queue.later(match, "WAITS_FOR_POSTING", self.clock())
            return None
        if not self.queue.renew(match, self.clock()):
            return None  # the ones before it took long: it is another worker's by now
        try:
            journal = self.journal_of(match.company)
            joined.append(_Joined(match, journal, self._write(match, journal)))
        except ConcordError as error:
            return self._failed(match, error)
        return None

    def _read_back(self, joined: Sequence[_Joined]) -> None:
        """One look for all of them; what ends it is narrowed down to the one match."""
        mine = [one for one in joined if self.queue.renew(one.match, self.clock())]
        if not mine:
            return
        journal = mine[0].journal
        try:
            views = views_of(journal, [booked for one in mine for booked in one.match.booked.values()])
            moves = journal.exchange_moves(sorted({line for one in mine for line in one.touched}))
        except ConcordError as error:
            if len(mine) == 1 or isinstance(error, OdooUnavailable | OdooDenied):
                for one in mine:
                    self._failed(one.match, error)
            else:
                half = len(mine) // 2
                self._read_back(mine[:half])
                self._read_back(mine[half:])
            return
        for one in mine:
            outcomes = outcomes_of(one.match.booked.values(), views)
            try:
                self.queue.written(one.match, outcomes, exchanges_of(one.touched, moves), self.clock())
            except ConcordError as error:
                self._failed(one.match, error)

    def _failed(self, match: MatchClaim, error: ConcordError) -> ConcordError | None:
        """The error again if it means that Odoo gives no answer at all: nor will the others get one."""
        if isinstance(error, OdooError) and not isinstance(error, _PASSING):
            self.queue.refused(match, error.reason, error.message, self.clock())
        else:  # or masterdata does not say where the books are
            self.queue.later(match, error.reason, self.clock())
        return error if isinstance(error, OdooUnavailable | OdooDenied) else None

    def _write(self, match: MatchClaim, journal: Journal) -> list[int]:
        """Reconcile what the match joins; the ids of the journal items."""
        views = views_of(journal, match.booked.values())
        if any(key not in views or not views[key].is_posted for key in match.booked):
            raise DocumentGone("match", "Odoo no longer has one of the documents, or not as a posted one")
        if match.type is MatchType.PAYOUT_TRANSACTIONS:
            lines = [
                line for key, one in match.booked.items() for line in lines_with(one, views[key], (Role.CLEARING,))
            ]
        else:
            role = _COUNTERPART[match.type]
            lines = [line for key in match.members for line in lines_with(match.booked[key], views[key], (role,))]
            if lines:
                lines.append(self._unsuspended(match, journal, views, lines[0]))
        if len(lines) < 2:
            raise MatchUnfit("match", "the postings bear no lines that this type of match could join")
        ids = [line.odoo_id for line in lines]
        if any(not line.reconciled for line in lines):
            reconcile(journal, ids)
        return ids

    def _unsuspended(
        self, match: MatchClaim, journal: Journal, views: Mapping[str, DocumentView], counterpart: LineView
    ) -> LineView:
        """The bank line's suspense item, moved to the counterpart's account and partner if it is not there yet."""
        anchor: Booked = match.booked[match.anchor]
        items = lines_with(anchor, views[match.anchor], (Role.SUSPENSE, Role.MOVED))
        if not items:
            raise MatchUnfit("match", "the match's anchor is no bank line")
        if len(items) > 1:
            raise MatchedElsewhere("match", "the bank line was split in Odoo")
        (item,) = items
        there = (item.account_id, item.partner_id) == (counterpart.account_id, counterpart.partner_id)
        if there:
            return item
        if role_of(anchor, item) is not Role.SUSPENSE:
            # Odoo 19 would silently undo the reconciliation that moved it.
            raise MatchedElsewhere("match", "the bank line stands on another counterpart")
        journal.move_to_account(item.odoo_id, counterpart.account_id, counterpart.partner_id)
        moved = journal.lines([item.odoo_id])
        if not moved:
            raise DocumentGone("match", "the bank line was taken away while it was matched")
        return moved[0]


class MatchedElsewhere(OdooRefused):
    """The bank line was matched with something else, by another match or by hand in Odoo."""

    reason = "MATCHED_ELSEWHERE"


class DocumentGone(OdooRefused):
    """What we posted is not in the books any more."""

    reason = "ODOO_DOCUMENT_GONE"


class MatchUnfit(OdooRefused):
    """The match's type does not suit its postings."""

    reason = "MATCH_UNFIT"
