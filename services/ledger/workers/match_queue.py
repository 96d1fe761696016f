"""The queue of matches over the ledger's unit of work: each method is one commit."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from libs.storage.leases import RetryPolicy

from ..domain.case import Doubt
from ..domain.match import AppliedMatch, MatchState
from ..domain.posting import Posting
from ..domain.states import PostingState
from ..domain.view import DocumentView
from ..handlers.ports import CompanyBooks
from ..handlers.posting_ports import MatchClaim, Outcome
from ..storage.uow import LedgerUow, NewUow
from .queues import ACTOR, NEVER, PATIENT, booked_of, case_of, note_exchanges, note_outcomes, parked_doubt

_ENDED = (PostingState.REJECTED, PostingState.DUPLICATE, PostingState.NO_EFFECT)  # never reach the books


@dataclass(slots=True)
class Matches:
    """`MatchQueue`. One instance a worker: it remembers what it has claimed."""

    new_uow: NewUow
    books: CompanyBooks
    owner: str
    rng: random.Random
    retry: RetryPolicy = PATIENT
    lease_seconds: float = 180.0
    wait_seconds: tuple[float, float] = (2.0, 60.0)  # for a posting that is not posted yet: a tenth of the match's age
    _held: dict[str, AppliedMatch] = field(default_factory=dict)

    def claim(self, now: datetime, limit: int) -> list[MatchClaim]:
        with self.new_uow() as uow:
            for company in uow.matches.companies_due():
                taken = uow.matches.claim(
                    company, limit=limit, owner=self.owner, now=now, lease_seconds=self.lease_seconds
                )
                if not taken:
                    continue
                keys = [key for one in taken for key in (one.anchor, *one.members)]
                postings = uow.postings.find(keys)
                uow.commit()
                self._held = {one.name: one for one in taken}
                return [_match_claim(one, postings) for one in taken]
        return []

    def renew(self, match: MatchClaim, now: datetime) -> bool:
        with self.new_uow() as uow:
            kept = uow.matches.renew(self._held[match.name], now=now, lease_seconds=self.lease_seconds)
            uow.commit()
        if kept is not None:
            self._held[match.name] = kept
        return kept is not None

    def written(
        self, match: MatchClaim, outcomes: Mapping[str, Outcome], exchanges: Sequence[DocumentView], now: datetime
    ) -> None:
        before = self._held[match.name]
        written = replace(before, state=MatchState.WRITTEN, written_at=now, reason="", reason_text="")
        with self.new_uow() as uow:
            noted = note_outcomes(uow, match.booked.values(), outcomes, now)
            after = written if noted else replace(before, available_at=now)
            if not uow.matches.finish([(before, after)], now, ACTOR):
                return  # another worker has it by now; what we noted is rolled back
            anchor = uow.postings.get(match.company, match.anchor)
            note_exchanges(uow, self.books, match.name, anchor, exchanges, now)
            if noted:
                uow.cases.resolve([match.name], "written", now)
            uow.commit()

    def refused(self, match: MatchClaim, reason: str, text: str, now: datetime) -> None:
        before = self._held[match.name]
        after = replace(before, state=MatchState.EXCEPTION, reason=reason, reason_text=text)
        doubt = Doubt(reason, "Odoo refused this match; its words are on the match", actions=("retry",))
        with self.new_uow() as uow:
            self._finish_with_case(uow, before, after, doubt, now)
            uow.commit()

    def later(self, match: MatchClaim, reason: str, now: datetime) -> None:
        before = self._held[match.name]
        doubt = None
        if match.is_ready:
            at = self.retry.next_try(before.attempts, now, self.rng)
            after = replace(before, available_at=at or NEVER, parked=at is None, reason=reason)
            doubt = parked_doubt(reason) if at is None else None
        else:
            least, most = self.wait_seconds
            pause = min(most, max(least, (now - before.created_at).total_seconds() / 10))
            after = replace(before, available_at=now + timedelta(seconds=pause), attempts=0, reason=reason)
        with self.new_uow() as uow:
            self._finish_with_case(uow, before, after, doubt, now)
            uow.commit()

    def _finish_with_case(
        self, uow: LedgerUow, before: AppliedMatch, after: AppliedMatch, doubt: Doubt | None, now: datetime
    ) -> None:
        if uow.matches.finish([(before, after)], now, ACTOR) and doubt is not None:
            anchor = uow.postings.find([before.anchor])[before.anchor]
            uow.cases.open([case_of(before.name, anchor, doubt, now)])


def _match_claim(match: AppliedMatch, postings: Mapping[str, Posting]) -> MatchClaim:
    keys = (match.anchor, *match.members)
    done = [postings[key] for key in keys if key in postings and postings[key].state is PostingState.POSTED]
    booked = {one.key: booked_of(one) for one in done}
    ended = any(key in postings and postings[key].state in _ENDED for key in keys)
    return MatchClaim(
        match.name, match.company, match.type, match.anchor, match.members, booked, match.traceparent, ended
    )
