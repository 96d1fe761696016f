"""Closes receivables, payables and disputed money within a story: invoice against capture, credit note against refund.

Money never waits for paper: each document posts on its own, and whatever comes last finds the others here. A call
costs Odoo the same whatever it asks, so the stories of a claim are read together; only reconciling is a call for each,
since Odoo reconciles one set of items at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.errors import ConcordError
from libs.odoo.errors import OdooConflict, OdooDenied, OdooError, OdooOutcomeUnknown, OdooUnavailable
from libs.service.work import WorkContext

from ..domain.case import Doubt
from ..domain.posting import Posting
from ..domain.posting_changes import moving
from ..domain.role import STORY_ROLES, Role
from ..domain.rules.money import moved_receivables
from ..domain.story import PostedStory
from ..domain.view import DocumentView, LineView
from ..handlers.ports import JournalPort, MasterdataPort
from ..storage.uow import NewUow
from .open_lines import (
    Views,
    exchanges_of,
    lines_with,
    note_exchanges,
    note_outcomes,
    opposed,
    outcomes_of,
    reconcile,
    views_of,
)

LOST_AT_MOST = 8  # replies a batch: enough to narrow a hundred stories down to the one that gets none


@dataclass(frozen=True, slots=True)
class ReconcileWorker:
    """Reconciles stories in which something was posted."""

    new_uow: NewUow
    journal_of: Callable[[str], JournalPort]
    masterdata: MasterdataPort
    work: WorkContext
    batch: int = 100  # postings
    retry_seconds: float = 5.0
    refused_seconds: float = 600.0
    lease_seconds: float = 190.0
    call_seconds: float = 180.0  # left at the start of a call: the longest one plus Odoo's own limit

    def run_once(self) -> int:
        """The number of stories taken up."""
        stories = self.claim()
        by_company: dict[str, list[PostedStory]] = {}
        for story in stories:
            by_company.setdefault(story.company, []).append(story)
        away: OdooError | None = None
        for group in by_company.values():
            if away is None:
                away = StoryBatch(self, group).run()
            else:
                for story in group:
                    self.put_off(story, self.retry_seconds)
        return len(stories)

    def claim(self) -> list[PostedStory]:
        """The stories of the postings that have waited longest."""
        now = self.work.clock()
        until = now + timedelta(seconds=self.lease_seconds)
        stories = []
        with self.new_uow() as uow:
            labels: dict[str, list[str]] = {}
            for company, label in uow.story_queue.due(now, self.batch):
                labels.setdefault(company, []).append(label)
            for company in labels:
                for label in uow.story_queue.take(company, labels[company], now, until):
                    postings = tuple(uow.story_queue.posted(company, label))
                    stories.append(PostedStory(company, label, postings, until))
            if stories:
                uow.commit()
        return stories

    def renew(self, stories: Sequence[PostedStory]) -> list[PostedStory]:
        """Keep the claims long enough for one more call to Odoo; the stories still ours, as they are claimed now."""
        now = self.work.clock()
        if all(now + timedelta(seconds=self.call_seconds) <= story.until for story in stories):
            return list(stories)  # not a commit for every call
        anew = now + timedelta(seconds=self.lease_seconds)
        labels: dict[tuple[str, datetime], list[str]] = {}
        for story in stories:
            labels.setdefault((story.company, story.until), []).append(story.label)
        kept: set[tuple[str, str]] = set()
        with self.new_uow() as uow:
            for (company, until), mine in labels.items():
                kept |= {(company, label) for label in uow.story_queue.renew(company, mine, until, anew)}
            uow.commit()
        return [replace(story, until=anew) for story in stories if (story.company, story.label) in kept]

    def put_off(self, story: PostedStory, seconds: float, doubt: Doubt | None = None) -> None:
        """Reconcile again after a pause; a doubt opens a case. Nothing happens to what is another worker's by now."""
        now = self.work.clock()
        with self.new_uow() as uow:
            if uow.story_queue.is_held(story.company, story.label, story.until):
                uow.story_queue.postpone(story.company, story.label, now + timedelta(seconds=seconds))
                if doubt is not None:
                    uow.cases.open([(story.label, story.postings[0], doubt)], now)
                uow.commit()

    def finish(self, story: PostedStory, views: Views, exchanges: Sequence[DocumentView]) -> None:
        """Write what is open, make postings that move a receivable, and keep Odoo's exchange entries.

        A posting that was changed since the claim is left as it is, and the story is looked at once more.
        """
        now = self.work.clock()
        sources = {posting.document.effect: posting for posting in story.postings}
        # Receipts that stand on another customer than their order's invoice (ACCOUNTING rule 10).
        moves = moved_receivables(posting.document for posting in story.postings)
        with self.new_uow() as uow:
            if not uow.story_queue.is_held(story.company, story.label, story.until):
                return
            known = uow.postings.find([move.effect for _, move in moves])
            new = [moving(sources[document.effect], move, now) for document, move in moves if move.effect not in known]
            uow.postings.apply(new, now)
            if note_outcomes(uow, story.postings, outcomes_of(story.postings, views), now):
                uow.story_queue.done([posting.key for posting in story.postings], story.until)
            else:
                uow.story_queue.postpone(story.company, story.label, now)
            uow.cases.resolve([story.label], "reconciled", now)
            note_exchanges(uow, self.masterdata, story.label, story.postings[0], exchanges, now)
            uow.commit()


class StoryBatch:
    """Stories of one company on their way. `mine` shrinks as they are finished or put off, or their leases are lost."""

    def __init__(self, worker: ReconcileWorker, stories: Sequence[PostedStory]) -> None:
        self._worker = worker
        self._company = stories[0].company
        self._mine = {story.label: story for story in stories}
        self._lost = 0

    def run(self) -> OdooError | None:
        """Why Odoo gave no answer at all, if it did not: nor will other stories get one."""
        try:
            self._journal = self._worker.journal_of(self._company)
            self._narrow(list(self._mine))
        except (OdooUnavailable, OdooDenied) as error:
            self._put_off_all()
            return error
        except ConcordError:  # too much was lost, or masterdata does not say where the books are
            self._put_off_all()
        return None

    def _narrow(self, labels: Sequence[str]) -> None:
        """Read all, reconcile each, read all back. What ends a reading is narrowed down to the one story."""
        try:
            self._carry(labels)
        except (OdooUnavailable, OdooDenied):
            raise
        except OdooError as error:
            self._count(error)
            left = [label for label in labels if label in self._mine]
            half = (len(left) + 1) // 2
            if len(labels) == 1:
                self._give_up(labels[0], error)
            else:
                self._narrow(left[:half])
                self._narrow(left[half:])

    def _carry(self, labels: Sequence[str]) -> None:
        stories = self._renewed(labels)
        if not stories:
            return
        views = views_of(self._journal, _postings(stories))
        asked: dict[str, set[int]] = {}
        touched = set()
        for story in stories:
            # Asked again of what is closed already: the reply to an earlier reconciliation may have been lost.
            asked[story.label] = {line.odoo_id for line in _closed_in_foreign_currency(story, views)}
            if ids := self._reconcile(story, views):
                touched.add(story.label)
                asked[story.label].update(ids)
        stories = self._renewed(asked)
        line_ids = sorted(set().union(*(asked[story.label] for story in stories)))
        exchanges = self._journal.exchange_moves(line_ids) if line_ids else {}
        if again := [story for story in self._renewed(asked) if story.label in touched]:
            views |= views_of(self._journal, _postings(again))
        for label in asked:
            if label in self._mine:
                self._finish(label, views, exchanges_of(sorted(asked[label]), exchanges))

    def _reconcile(self, story: PostedStory, views: Views) -> list[int]:
        """The items that took part; none if the story did not get through."""
        touched = []
        for role in STORY_ROLES:
            for group in opposed(_lines(story, views, role)):
                if not self._renewed([story.label]):
                    return []
                try:
                    reconcile(self._journal, group)
                except (OdooUnavailable, OdooDenied):
                    raise
                except OdooError as error:
                    self._count(error)
                    self._give_up(story.label, error)
                    return []
                touched += group
        return touched

    def _finish(self, label: str, views: Views, exchanges: Sequence[DocumentView]) -> None:
        story = self._mine.pop(label)
        try:
            self._worker.finish(story, views, exchanges)
        except ConcordError:  # masterdata does not say where exchange differences belong
            self._worker.put_off(story, self._worker.retry_seconds)

    def _renewed(self, labels: Iterable[str]) -> list[PostedStory]:
        """Those of the stories that are still ours, once the leases of all are good for another call."""
        self._mine = {story.label: story for story in self._worker.renew(list(self._mine.values()))}
        return [self._mine[label] for label in labels if label in self._mine]

    def _count(self, error: OdooError) -> None:
        """Raises the error if too many calls of this batch came to nothing."""
        self._lost += isinstance(error, OdooConflict | OdooOutcomeUnknown)
        if self._lost > LOST_AT_MOST:
            raise error

    def _give_up(self, label: str, error: OdooError) -> None:
        story = self._mine.pop(label, None)
        if story is None:
            return
        if isinstance(error, OdooConflict | OdooOutcomeUnknown):
            self._worker.put_off(story, self._worker.retry_seconds)
        else:
            message = "Odoo does not let the story's lines be reconciled; it is tried again"
            self._worker.put_off(story, self._worker.refused_seconds, Doubt(error.reason, message, actions=()))

    def _put_off_all(self) -> None:
        for story in self._mine.values():
            self._worker.put_off(story, self._worker.retry_seconds)
        self._mine.clear()


def _postings(stories: Iterable[PostedStory]) -> list[Posting]:
    return [posting for story in stories for posting in story.postings]


def _lines(story: PostedStory, views: Views, *roles: Role) -> list[LineView]:
    found = [(posting, views[posting.key]) for posting in story.postings if posting.key in views]
    return [line for posting, view in found for line in lines_with(posting, view, *roles)]


def _closed_in_foreign_currency(story: PostedStory, views: Views) -> list[LineView]:
    """Lines whose reconciliation may have made an exchange entry: Odoo makes none in the company's own currency."""
    return [
        line
        for line in _lines(story, views, *STORY_ROLES)
        if line.amount.currency != line.balance.currency and line.residual != line.balance
    ]
