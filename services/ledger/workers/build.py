"""Builds the documents of recorded events: masterdata resolves, the rules make balanced documents or an exception.

A batch takes three steps: the claim is committed; stories and masters are read without holding anything; then, one
builder of a company at a time, the stories are read again, the documents built and everything committed. What the
documents say depends on the events and the revision of the masters alone, so a step may be repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.errors import ConcordError
from libs.errors.retry import RetryPolicy
from libs.events import EffectKey, rival_key
from libs.service.work import WorkContext

from ..domain.case import Category, Doubt
from ..domain.document import Document
from ..domain.errors import CompanyNotReady, Unbuildable
from ..domain.event import BuildState, BuiltEvent, RecordedEvent
from ..domain.master import Company, CompanyWord, Masters, Ref, Unresolved
from ..domain.posting import PREDECESSOR_MISSING, Posting
from ..domain.rules.books import Built, PredecessorMissing
from ..domain.rules.table import build, effects_of, has_effect, needs
from ..domain.states import PostingState
from ..domain.story import Context, Story
from ..handlers.ports import MasterdataPort
from ..storage.uow import LedgerUow, NewUow
from .drafts import Drafts, draft

logger = logging.getLogger(__name__)

STORY_EVENTS_AT_MOST = 500
SHORT = RetryPolicy(max_attempts=20)


@dataclass(frozen=True, slots=True)
class BuildWorker:
    """Turns RECORDED events into postings, `batch` a claim."""

    new_uow: NewUow
    masterdata: MasterdataPort
    work: WorkContext
    batch: int = 200
    lease_seconds: float = 60.0  # outlives masterdata's deadline and the batch's work
    retry: RetryPolicy = SHORT

    def run_once(self) -> int:
        """Build what is due, at most a batch; the number of events taken up."""
        claimed = self._claim()
        if any(recorded.attempts > self.retry.max_attempts // 2 for recorded in claimed):
            # One of them may be what kills the worker: each stands alone, and in no order, so that the rest gets past.
            self.work.rng.shuffle(claimed)
            for recorded in claimed:
                self._build(recorded.event.company, [recorded])
            return len(claimed)
        companies: dict[str, list[RecordedEvent]] = {}
        for recorded in claimed:
            companies.setdefault(recorded.event.company, []).append(recorded)
        for company, events in sorted(companies.items()):
            self._build(company, events)
        return len(claimed)

    def _claim(self) -> list[RecordedEvent]:
        now = self.work.clock()
        with self.new_uow() as uow:
            claimed = uow.events.claim_to_build(
                limit=self.batch, owner=self.work.owner, now=now, lease_seconds=self.lease_seconds
            )
            suspects = [recorded for recorded in claimed if recorded.attempts > self.retry.max_attempts]
            if suspects:  # only a crash spends more than the budget: it is parked before it takes others along
                uow.events.release([recorded for recorded in claimed if recorded not in suspects], now=now, at=now)
                claimed = []
                self._park(uow, suspects, "WORKER_FAILED", now)
            if claimed or suspects:
                uow.commit()
        return claimed

    def _build(self, company: str, events: list[RecordedEvent]) -> None:
        try:
            masters = self._resolve(company, events)
        except ConcordError as error:
            if not error.kind.is_technical:
                self._refuse_all(events, error)
                return
            logger.warning("masterdata can't answer: %s", error.reason)
            self._put_back(events, error.reason)
            return
        now = self.work.clock()
        with self.new_uow() as uow:
            uow.stories.lock([company])
            ours = uow.events.renew(events, now=now, lease_seconds=self.lease_seconds)
            if ours:
                _Batch(uow, masters, now).build(ours)
                uow.commit()

    def _resolve(self, company: str, events: Sequence[RecordedEvent]) -> Masters:
        """Everything that the rules will ask, in one call once the company itself is known."""
        with self.new_uow(read_only=True) as uow:
            stories = uow.stories.of([recorded.event for recorded in events])
        known = self.masterdata.resolve(company, [CompanyWord()])
        home = known.targets.get(CompanyWord())
        if not isinstance(home, Company):
            # Not an exception of each event: the company is not set up yet, or its mapping is not approved.
            raise CompanyNotReady(home.reason if isinstance(home, Unresolved) else "COMPANY_UNKNOWN")
        refs: dict[Ref, None] = {CompanyWord(): None}
        for recorded in events:
            if has_effect(recorded.event):
                refs |= dict.fromkeys(_needs(recorded, home, stories[recorded.event.name].context))
        return self.masterdata.resolve(company, list(refs))

    def _refuse_all(self, events: Sequence[RecordedEvent], error: ConcordError) -> None:
        now = self.work.clock()
        with self.new_uow() as uow:
            ours = uow.events.renew(events, now=now, lease_seconds=self.lease_seconds)
            batch = _Batch(uow, Masters({}, 0, ""), now)
            for recorded in ours:
                batch.refuse(recorded, error.reason, str(error))
            batch.write()
            uow.commit()

    def _put_back(self, events: Sequence[RecordedEvent], reason: str) -> None:
        """Try again after a pause; park what has spent its budget."""
        now = self.work.clock()
        later, spent = [], []
        for recorded in events:
            at = self.retry.next_try(recorded.attempts, now, self.work.rng)
            if at is None:
                spent.append(recorded)
            else:
                later.append(recorded.again(at))
        with self.new_uow() as uow:
            uow.events.built(later, now, failure=reason)
            self._park(uow, spent, reason, now)
            uow.commit()

    def _park(self, uow: LedgerUow, events: Sequence[RecordedEvent], reason: str, now: datetime) -> None:
        """A dead letter for operators: its postings stand in RECORDED, parked, until RetryPosting."""
        if not events:
            return
        ours = uow.events.renew(events, now=now, lease_seconds=self.lease_seconds)
        batch = _Batch(uow, Masters({}, 0, ""), now)
        for recorded in ours:
            batch.park(recorded, reason)
        batch.write()


class _Batch:
    """What is made of claimed events of one company, within a transaction."""

    def __init__(self, uow: LedgerUow, masters: Masters, now: datetime) -> None:
        self._uow = uow
        self._masters = masters
        self._now = now
        self._fresh: dict[str, list[Document]] = {}  # documents built in this batch, by story
        self._outcomes: list[BuiltEvent] = []
        self._woken: dict[str, set[str]] = {}  # by company: events of stories that have grown
        self._drafts = Drafts(now)

    def build(self, events: Sequence[RecordedEvent]) -> None:
        stories = self._uow.stories.of([recorded.event for recorded in events])
        existing = self._uow.postings.of_events([recorded.event.name for recorded in events])
        for recorded in events:
            story = stories[recorded.event.name]
            if story.other_labels:
                self._uow.stories.merge(recorded.event.company, story.label, story.other_labels, self._now)
            self._build(recorded, story, existing.get(recorded.event.name, []))
        self.write()

    def write(self) -> None:
        """Postings, then the ends of the claims; then whoever waited is woken, those of this batch too."""
        keys = self._drafts.keys()
        if keys:
            self._drafts.decide_rivals(self._uow.postings.find(keys))
        self._uow.postings.apply(self._drafts.changes, self._now)
        self._uow.events.built(self._outcomes, self._now)
        for company, woken in self._woken.items():
            names = sorted(woken)
            for start in range(0, len(names), STORY_EVENTS_AT_MOST):
                self._uow.stories.wake(company, names[start : start + STORY_EVENTS_AT_MOST], self._now)

    def refuse(self, recorded: RecordedEvent, reason: str, message: str, existing: Sequence[Posting] = ()) -> None:
        """Every effect that has no document becomes an exception, for finance."""
        self._without_documents(recorded, existing, PostingState.EXCEPTION, Doubt(reason, message))
        self._done(recorded, BuildState.EXCEPTION)

    def park(self, recorded: RecordedEvent, reason: str) -> None:
        """Every effect that has no document waits for an operator."""
        message = "it could not be built within the technical budget; retry once the cause is mended"
        doubt = Doubt(reason, message, Category.TECHNICAL, ("retry",))
        existing = self._uow.postings.of_events([recorded.event.name]).get(recorded.event.name, [])
        self._without_documents(recorded, existing, PostingState.RECORDED, doubt)
        self._done(recorded, recorded.state)

    def _build(self, recorded: RecordedEvent, story: Story, existing: Sequence[Posting]) -> None:
        to_build = not existing or any(posting.state is PostingState.RECORDED for posting in existing)
        if not has_effect(recorded.event) or not to_build:
            # Only its story was to be looked at: what it joins may be just what another one waits for.
            self._wake_others(recorded, story)
            self._done(recorded, recorded.state)
            return
        documents = (*story.context.documents, *self._fresh.get(story.label, ()))
        context = Context(story.context.customer, documents)
        try:
            if len(story.events) > STORY_EVENTS_AT_MOST:
                raise Unbuildable("STORY_TOO_LARGE", "its references join more events than one story can have")
            company = self._masters.company()
            if any(ref not in self._masters.targets for ref in needs(recorded.event, company, context)):
                self._outcomes.append(recorded.again(self._now))  # the story grew since the masters were asked
                return
            built = build(recorded.event, self._masters, context)
        except PredecessorMissing as error:
            self._wait(recorded, company, error, existing)
        except Unbuildable as error:
            self.refuse(recorded, error.case, str(error), existing)
        except ConcordError as error:
            self.refuse(recorded, error.reason, str(error), existing)
        else:
            self._accept(recorded, story, built, existing, company)

    def _accept(
        self,
        recorded: RecordedEvent,
        story: Story,
        built: Sequence[Built],
        existing: Sequence[Posting],
        company: Company,
    ) -> None:
        if not built:
            self.refuse(recorded, "DOCUMENT_EMPTY", "the rules made no document of it", existing)
            return
        self._fresh.setdefault(story.label, []).extend(each.document for each in built)
        deadline = self._now + timedelta(seconds=company.predecessor_deadline_seconds)
        known = {posting.key: posting for posting in existing}
        for each in built:
            if rival_key(each.document.effect, recorded.event.name) in known:
                continue  # another event has this effect; that was found earlier
            before = known.get(each.document.effect) or draft(recorded, each.document.effect, self._now)
            self._drafts.accept(recorded, each, before, story.label, self._masters, deadline)
        self._wake_others(recorded, story)
        self._done(recorded, BuildState.BUILT)

    def _wait(
        self, recorded: RecordedEvent, company: Company, error: PredecessorMissing, existing: Sequence[Posting]
    ) -> None:
        """Until something of its story arrives, or the deadline."""
        deadline = recorded.hold_until or self._now + timedelta(seconds=company.predecessor_deadline_seconds)
        if self._now >= deadline:
            self.refuse(recorded, PREDECESSOR_MISSING, str(error), existing)
            return
        self._outcomes.append(BuiltEvent(recorded, BuildState.RECORDED, deadline, self._masters.revision, deadline))

    def _wake_others(self, recorded: RecordedEvent, story: Story) -> None:
        self._woken.setdefault(recorded.event.company, set()).update(set(story.events) - {recorded.event.name})

    def _done(self, recorded: RecordedEvent, state: BuildState) -> None:
        revision = self._masters.revision or recorded.mapping_revision
        self._outcomes.append(BuiltEvent(recorded, state, None, revision))

    def _without_documents(
        self, recorded: RecordedEvent, existing: Sequence[Posting], state: PostingState, doubt: Doubt
    ) -> None:
        known = {posting.key: posting for posting in existing}
        for effect in effects_of(recorded.event):
            key = str(EffectKey.of(recorded.event, effect))
            before = known.get(key)
            if before is None or before.state is PostingState.RECORDED:
                self._drafts.refuse(before or draft(recorded, key, self._now), state, doubt)


def _needs(recorded: RecordedEvent, company: Company, context: Context) -> tuple[Ref, ...]:
    try:
        return needs(recorded.event, company, context)
    except Unbuildable:
        return ()  # building says why
