"""The posting workers' queues over the ledger's unit of work: each method is one commit."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from libs.errors import ConcordError
from libs.storage.leases import RetryPolicy

from ..domain.case import OWNERS, CaseState, Category, Doubt, ExceptionCase
from ..domain.document import Document, content_digest, document_to_json
from ..domain.posting import Change, NewPosting, Posting
from ..domain.role import Role
from ..domain.states import PostingState, Reconciliation
from ..domain.view import DocumentView
from ..handlers.ports import CompanyBooks
from ..handlers.posting_ports import Booked, Claim, Outcome, Story
from ..storage.uow import LedgerUow, NewUow

ACTOR = "ledger"
# Odoo may be down for a night without anybody having to touch each document afterwards: about twelve hours.
PATIENT = RetryPolicy(max_attempts=300)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # a parked posting waits for a person
_STORY_ROLES = {Role.RECEIVABLE, Role.DISPUTED}


@dataclass(slots=True)
class Postings:
    """`PostingQueue`. One instance a worker: it remembers what it has claimed."""

    new_uow: NewUow
    owner: str
    rng: random.Random
    retry: RetryPolicy = PATIENT
    lease_seconds: float = 180.0  # outlives the longest call plus Odoo's own limit
    _held: dict[str, Posting] = field(default_factory=dict)

    def claim(self, now: datetime, limit: int) -> list[Claim]:
        with self.new_uow() as uow:
            companies = uow.postings.companies_to_post()
            self.rng.shuffle(companies)  # no company waits behind another's long queue
            for company in companies:
                kind = uow.postings.next_to_post(company, now)
                if kind is None:
                    continue
                taken = uow.postings.claim_to_post(
                    company,
                    limit=limit,
                    owner=self.owner,
                    now=now,
                    lease_seconds=self.lease_seconds,
                    document_type=kind,
                )
                uow.commit()
                self._held = {one.key: one for one in taken}
                spoiled = [one for one in taken if not _is_intact(one)]
                self._apply([_spoiled(one) for one in spoiled], now)
                claims = [claim for one in taken if one not in spoiled and (claim := _claim(one)) is not None]
                # Only a worker's death spends more than the budget: parked before it takes others along.
                deadly = [one for one in claims if self._held[one.key].attempts > self.retry.max_attempts]
                if deadly:
                    self.put_back(deadly, "WORKER_FAILED", unknown=True, now=now)
                return [one for one in claims if one not in deadly]
        return []

    def odoo_ids(self, company: str, effects: Sequence[str]) -> dict[str, int]:
        with self.new_uow(read_only=True) as uow:
            found = uow.postings.find(effects)
        return {key: one.odoo_id for key, one in found.items() if one.odoo_id and one.company == company}

    def renew(self, claims: Sequence[Claim], now: datetime) -> set[str]:
        with self.new_uow() as uow:
            held = [self._held[claim.key] for claim in claims]
            kept = uow.postings.renew(held, now=now, lease_seconds=self.lease_seconds)
            uow.commit()
        self._held |= {one.key: one for one in kept}
        return {one.key for one in kept}

    def redated(self, claim: Claim, document: Document, now: datetime) -> set[str]:
        before = self._held[claim.key]
        after = replace(before, document_json=document_to_json(document), content_digest=content_digest(document))
        if not before.approved_by:
            return self._apply([Change(before, after, ACTOR, keep_claim=True)], now)
        anew = replace(
            after,
            state=PostingState.AWAITING_APPROVAL,
            approved_by="",
            reason="PERIOD_LOCKED",
            reason_text="its day was locked after it was approved; the open day needs an approval of its own",
        )
        through = (PostingState.READY, PostingState.HELD, PostingState.VALIDATED)  # Odoo has nothing of it
        self._apply([Change(before, anew, ACTOR, through)], now)
        return set()

    def loaded(self, ids: Sequence[tuple[Claim, int]], now: datetime) -> set[str]:
        changes = []
        for claim, record in ids:
            before = self._held[claim.key]
            after = replace(before, odoo_id=record, odoo_model=claim.document.type.traits.odoo_model)
            changes.append(Change(before, after, ACTOR, keep_claim=True))
        return self._apply(changes, now)

    def unloaded(self, claims: Sequence[Claim], now: datetime) -> set[str]:
        held = [self._held[claim.key] for claim in claims]
        return self._apply([Change(one, replace(one, odoo_id=0), ACTOR, keep_claim=True) for one in held], now)

    def posted(self, views: Sequence[tuple[Claim, DocumentView]], now: datetime) -> set[str]:
        changes = []
        for claim, view in views:
            before = self._held[claim.key]
            roles = claim.document.closable_roles()
            in_story = bool(before.ar_group) and bool(_STORY_ROLES & set(roles))
            after = replace(
                before,
                state=PostingState.POSTED,
                odoo_id=view.odoo_id,
                odoo_model=claim.document.type.traits.odoo_model,
                odoo_number=view.number,
                posted_date=view.day.isoformat(),
                posted_at=now,
                reason="",
                reason_text="",
                open_roles=" ".join(roles),
                reconcile_at=now if in_story else None,
            )
            changes.append(Change(before, after, ACTOR, resolution="posted"))
        return self._apply(changes, now)

    def refused(self, claim: Claim, reason: str, text: str, *, technical: bool, held: int, now: datetime) -> set[str]:
        before = self._held[claim.key]
        after = replace(before, state=PostingState.EXCEPTION, reason=reason, reason_text=text)
        actions: tuple[str, ...] = ("retry", "reject")
        if held:  # it can't be rejected while it stands in the books: mended or cancelled there, then looked at again
            after = replace(after, odoo_id=held, odoo_model=claim.document.type.traits.odoo_model)
            actions = ("retry",)
        category = Category.TECHNICAL if technical else Category.BUSINESS
        text = "Odoo did not take this document as it was meant; its words are on the posting"
        doubt = Doubt(reason, text, category, actions)
        return self._apply([Change(before, after, ACTOR, doubt=doubt)], now)

    def put_back(self, claims: Sequence[Claim], reason: str, *, unknown: bool, now: datetime) -> set[str]:
        state = PostingState.UNKNOWN if unknown else PostingState.READY
        changes = []
        for claim in claims:
            before = self._held[claim.key]
            at = self.retry.next_try(before.attempts, now, self.rng)
            after = replace(before, state=state, available_at=at or NEVER, parked=at is None, reason=reason)
            doubt = parked_doubt(reason) if at is None else None
            changes.append(Change(before, after, ACTOR, doubt=doubt))
        return self._apply(changes, now)

    def _apply(self, changes: Sequence[Change], now: datetime) -> set[str]:
        if not changes:
            return set()
        with self.new_uow() as uow:
            made = uow.postings.apply(changes, now)
            uow.commit()
        for change in changes:
            if change.before.key in made:
                self._held[change.before.key] = replace(change.after, version=change.before.version + 1)
        return made


@dataclass(slots=True)
class Stories:
    """`StoryQueue`."""

    new_uow: NewUow
    books: CompanyBooks
    retry_seconds: float = 5.0
    refused_seconds: float = 600.0
    lease_seconds: float = 190.0
    call_seconds: float = 180.0  # left at the start of a call: the longest one plus Odoo's own limit

    def claim(self, now: datetime, limit: int) -> list[Story]:
        stories = []
        until = now + timedelta(seconds=self.lease_seconds)
        with self.new_uow() as uow:
            labels: dict[str, list[str]] = {}
            for company, label in uow.story_queue.due(now, limit):
                labels.setdefault(company, []).append(label)
            for company in labels:
                for label in uow.story_queue.take(company, labels[company], now, until):
                    booked = tuple(booked_of(one) for one in uow.story_queue.posted(company, label))
                    stories.append(Story(company, label, booked, until))
            if stories:
                uow.commit()
        return stories

    def renew(self, stories: Sequence[Story], now: datetime) -> list[Story]:
        if all(now + timedelta(seconds=self.call_seconds) <= story.until for story in stories):
            return list(stories)  # not a commit for every call
        anew = now + timedelta(seconds=self.lease_seconds)
        labels: dict[tuple[str, datetime], list[str]] = {}
        for story in stories:
            labels.setdefault((story.company, story.until), []).append(story.label)
        kept = []
        with self.new_uow() as uow:
            for company, until in labels:
                held = uow.story_queue.renew(company, labels[company, until], until, anew)
                kept += [one for one in stories if (one.company, one.until) == (company, until) and one.label in held]
            uow.commit()
        return [replace(story, until=anew) for story in kept]

    def reconciled(
        self,
        story: Story,
        outcomes: Mapping[str, Outcome],
        moved: Sequence[tuple[Booked, Document]],
        exchanges: Sequence[DocumentView],
        now: datetime,
    ) -> None:
        with self.new_uow() as uow:
            if not uow.story_queue.is_held(story.company, story.label, story.until):
                return
            sources = uow.postings.find([one.key for one, _ in moved])
            known = uow.postings.find([document.effect for _, document in moved])
            new = [
                _move_of(sources[one.key], document, now)
                for one, document in moved
                if one.key in sources and document.effect not in known
            ]
            uow.postings.create(new, now)
            if note_outcomes(uow, story.booked, outcomes, now):
                uow.story_queue.done([one.key for one in story.booked], story.until)
            else:
                uow.story_queue.postpone(story.company, story.label, now)
            uow.cases.resolve([story.label], "reconciled", now)
            if exchanges:
                first = uow.postings.get(story.company, story.booked[0].key)
                note_exchanges(uow, self.books, story.label, first, exchanges, now)
            uow.commit()

    def later(self, story: Story, reason: str, now: datetime) -> None:
        with self.new_uow() as uow:
            if uow.story_queue.is_held(story.company, story.label, story.until):
                uow.story_queue.postpone(story.company, story.label, now + timedelta(seconds=self.retry_seconds))
                uow.commit()

    def refused(self, story: Story, reason: str, now: datetime) -> None:
        doubt = Doubt(reason, "Odoo does not let the story's receivables be reconciled; it is tried again", actions=())
        with self.new_uow() as uow:
            if uow.story_queue.is_held(story.company, story.label, story.until):
                uow.story_queue.postpone(story.company, story.label, now + timedelta(seconds=self.refused_seconds))
                first = uow.postings.get(story.company, story.booked[0].key)
                uow.cases.open([case_of(story.label, first, doubt, now)])
                uow.commit()


def _claim(posting: Posting) -> Claim | None:
    document = posting.document()
    if document is None or posting.claim is None:
        return None
    return Claim(
        key=posting.key,
        company=posting.company,
        document=document,
        attempts=posting.tries,
        fence=posting.claim.fence,
        odoo_id=posting.odoo_id or None,
        transaction_id=posting.transaction_id,
    )


def _is_intact(posting: Posting) -> bool:
    """Whether the document is still the one whose digest was built, and signed where somebody had to."""
    try:
        document = posting.document()
    except ConcordError:  # it does not even balance any more
        return False
    return document is None or content_digest(document) == posting.content_digest


def _spoiled(posting: Posting) -> Change:
    doubt = Doubt("CONTENT_CHANGED", "the stored document is not the one that was built; find out who changed it")
    after = replace(posting, state=PostingState.EXCEPTION, reason=doubt.reason, reason_text=doubt.message)
    return Change(posting, after, ACTOR, doubt=doubt)


def booked_of(posting: Posting) -> Booked:
    document = posting.document()
    if document is None:
        raise ValueError(f"{posting.key} is posted without a document")
    return Booked(posting.key, document, posting.odoo_id, posting.transaction_id, posting.version)


def _move_of(source: Posting, document: Document, now: datetime) -> NewPosting:
    """The posting that moves a receivable: another effect of the same event."""
    posting = replace(
        source,
        key=document.effect,
        effect="party",
        state=PostingState.READY,
        document_json=document_to_json(document),
        content_digest=content_digest(document),
        odoo_id=0,
        odoo_number="",
        posted_date="",
        posted_at=None,
        attempts=0,
        tries=0,
        first_attempt_at=None,
        last_attempt_at=None,
        reconcile_at=None,
        open_roles="",
        reconciliation=Reconciliation.NONE,
        approved_by="",
        version=1,
        made_by=ACTOR,
        created_at=now,
        updated_at=now,
        available_at=now,
        claim=None,
    )
    return NewPosting(posting, through=(PostingState.RECORDED, PostingState.VALIDATED))


def note_outcomes(uow: LedgerUow, booked: Iterable[Booked], outcomes: Mapping[str, Outcome], now: datetime) -> bool:
    """Write what was seen in Odoo, unless somebody changed the posting since we began to look: he may have seen what
    came later. False if there is such a one: Odoo must be asked again."""
    versions = {one.key: one.version for one in booked}
    changes = []
    fresh = True
    for key, before in uow.postings.find(list(outcomes)).items():
        outcome = outcomes[key]
        after = replace(
            before, reconciliation=outcome.reconciliation, open_roles=" ".join(outcome.open_roles), claim=None
        )
        if after == before:
            continue
        if before.version == versions[key]:
            changes.append(Change(before, after, ACTOR))
        else:
            fresh = False
    made = uow.postings.apply(changes, now) if changes else set()
    return fresh and len(made) == len(changes)


def note_exchanges(
    uow: LedgerUow, books: CompanyBooks, cause: str, posting: Posting, exchanges: Iterable[DocumentView], now: datetime
) -> None:
    """Odoo's exchange entries are the effect of this reconciliation; on any other account they are a doubt."""
    entries = list(exchanges)
    uow.story_queue.exchanged(posting.company, cause, entries, now)
    expected = books.exchange_account(posting.company) if entries else 0
    if any(expected not in {line.account_id for line in one.lines} for one in entries):
        doubt = Doubt(
            "EXCHANGE_ACCOUNT_UNEXPECTED", "Odoo booked an exchange difference on another account", actions=()
        )
        uow.cases.open([case_of(posting.name, posting, doubt, now)])


def case_of(subject: str, posting: Posting, doubt: Doubt, now: datetime) -> ExceptionCase:
    return ExceptionCase(
        id="",
        company=posting.company,
        subject=subject,
        transaction_id=posting.transaction_id,
        doubt=doubt,
        state=CaseState.OPEN,
        owner=OWNERS[doubt.category],
        at_risk=posting.amount,
        created_at=now,
    )


def parked_doubt(reason: str) -> Doubt:
    return Doubt(reason, "Odoo could not be reached for as long as the budget allows", Category.TECHNICAL, ("retry",))
