"""Every change of a posting, with all that belongs to its commit.

A change of state is checked against the table in `domain.states`, and in the same commit come an audit entry for each
step, the completeness total of its event, one message to those who watch, the opening or end of its exception case, and
the promotion of the postings that waited for it. Locks are taken in one order: postings, then events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update

from libs.events import to_text
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.leases import finish
from libs.storage.outbox import Message, Outbox
from libs.storage.private import with_proof
from libs.storage.rows import insert_new, insert_rows
from libs.storage.totals import TotalKey, Totals, one_event

from ..domain.committed import Committed
from ..domain.posting import LEDGER, WAITS_FOR_PREDECESSOR, Change, Posting, is_waiting, unblocked
from ..domain.states import PostingState, bucket_of, check_transition
from ..message import state_message
from .cases import Cases
from .mapping import changed_columns, lease, new_row, posting_columns, to_posting
from .tables import EVENT, POSTING, POSTING_DEPENDENCY, TABLES


class Transitions:
    """The one way to write postings, within a transaction."""

    def __init__(self, connection: Connection, committed: Committed) -> None:
        self._connection = connection
        self._committed = committed

    def apply(self, changes: Sequence[Change], now: datetime) -> set[str]:
        """Make the changes, new postings among them; a claim ends with its change unless that keeps it.

        Returns the keys that were changed: not those whose claim was lost, or that changed since they were read.
        Raises `TransitionForbidden`, or `StorageConflict` where a new posting's key exists.
        """
        if not changes:
            return set()
        waits = [
            {"posting": change.after.key, "predecessor": other} for change in changes for other in change.predecessors
        ]
        insert_new(self._connection, POSTING_DEPENDENCY, waits, ["posting", "predecessor"])
        blocked = self.blocked([change.after.key for change in changes if is_waiting(change.after)])
        changes = [_stamped(change, blocked, now) for change in changes]
        for change in changes:
            _check(change)
        made = self._write(changes, now)
        done = [change for change in changes if change.after.key in made]
        done += self._promote([change.after.key for change in done if PostingState.POSTED in change.steps], now)
        moved = [change for change in done if change.steps]
        entries: list[AuditEntry] = []
        for change in done:
            if change.steps:
                entries += _entries(change.after, change.steps, change.actor, now, change.why)
            else:
                entries.append(_noted(change.after, change.actor, now))
        AuditLog(self._connection, TABLES).append(entries)
        self._announce([change.after for change in done if change.steps or _differs(change)], now)
        self._resolve(done, now)
        doubts = [(change.after.name, change.after, change.doubt) for change in done if change.doubt]
        Cases(self._connection).open(doubts, now)
        self._count([change.after.event for change in moved])
        self._wake([change.after for change in done])
        self._committed.changed += done
        return made

    def attempt(self, claimed: Sequence[Posting], now: datetime) -> list[Posting]:
        """What was just claimed becomes POSTING, with one more try: to be committed before a byte leaves."""
        if not claimed:
            return []
        after = []
        entries: list[AuditEntry] = []
        for posting in claimed:
            steps = [PostingState.POSTING]
            if posting.state is PostingState.POSTING:  # its worker died: what it did is not known
                steps = [PostingState.UNKNOWN, PostingState.POSTING]
            started = replace(
                posting,
                state=PostingState.POSTING,
                tries=posting.tries + 1,
                first_attempt_at=posting.first_attempt_at or now,
                last_attempt_at=now,
                version=posting.version + 1,
                updated_at=now,
            )
            after.append(started)
            owner = posting.claim.owner if posting.claim else LEDGER
            entries += _entries(started, steps, owner, now)
        columns = ("state", "tries", "first_attempt_at", "last_attempt_at", "version", "updated_at")
        statement = update(POSTING).where(POSTING.c.key == bindparam("claimed_key"))
        rows = [
            {"claimed_key": posting.key, **with_proof("state_message", state_message(posting))}
            | {name: value for name, value in posting_columns(posting).items() if name in columns}
            for posting in after
        ]
        values: dict[str, Any] = {name: bindparam(name) for name in (*columns, "state_message", "state_message_proof")}
        self._connection.execute(statement.values(values), rows)
        AuditLog(self._connection, TABLES).append(entries)
        self._announce(after, now)
        return after

    def blocked(self, keys: Sequence[str]) -> set[str]:
        """Those of the postings that wait for a predecessor which is not posted.

        The predecessors are locked: one that is being posted at this moment is waited for, and one that will be posted
        later finds what we commit. So nobody waits for a predecessor that was posted unnoticed.
        """
        if not keys:
            return set()
        waits = select(POSTING_DEPENDENCY).where(POSTING_DEPENDENCY.c.posting.in_(keys))
        pairs = [(row.posting, row.predecessor) for row in self._connection.execute(waits)]
        others = sorted({predecessor for _, predecessor in pairs})
        if not others:
            return set()
        statement = select(POSTING.c.key, POSTING.c.state).where(POSTING.c.key.in_(others)).order_by(POSTING.c.key)
        states = {row.key: row.state for row in self._connection.execute(statement.with_for_update(read=True))}
        return {key for key, other in pairs if states.get(other) != PostingState.POSTED.value}

    def _write(self, changes: Sequence[Change], now: datetime) -> set[str]:
        """The rows themselves; the keys of those that are new, or were still as they were read."""
        new = [change.after for change in changes if change.is_new]
        insert_rows(self._connection, POSTING, [new_row(posting) for posting in new])
        made = {posting.key for posting in new}
        outcomes = []
        for change in changes:
            claim = change.before.claim
            if change.is_new:
                continue
            if claim is not None and not change.keep_claim:
                outcomes.append((lease(change.before.key, claim), _values(change)))
                continue
            condition = (POSTING.c.key == change.before.key) & (POSTING.c.version == change.before.version)
            if claim is not None:
                condition &= (POSTING.c.fence == claim.fence) & (POSTING.c.lease_owner == claim.owner)
                condition &= POSTING.c.lease_until > now
            else:
                condition &= or_(POSTING.c.lease_until.is_(None), POSTING.c.lease_until <= now)
            statement = update(POSTING).where(condition).values(_values(change)).returning(POSTING.c.key)
            made.update(self._connection.scalars(statement))
        return made | finish(self._connection, POSTING, outcomes, now=now) if outcomes else made

    def _promote(self, posted: Sequence[str], now: datetime) -> list[Change]:
        """Followers of what was just posted become READY if nothing else blocks them."""
        if not posted:
            return []
        waits = POSTING_DEPENDENCY.c.predecessor.in_(posted)
        followers = select(POSTING_DEPENDENCY.c.posting).where(waits)
        held = (
            POSTING.c.key.in_(followers)
            & (POSTING.c.state == PostingState.HELD.value)
            & (POSTING.c.reason == WAITS_FOR_PREDECESSOR)
        )
        rows = self._connection.execute(select(POSTING).where(held).order_by(POSTING.c.key).with_for_update())
        candidates = [to_posting(row) for row in rows]
        blocked = self.blocked([candidate.key for candidate in candidates])
        # A worker that looks at its deadline at this moment may hold a claim: the row is locked, so it comes too late.
        changes = [
            _stamped(Change(candidate, unblocked(candidate, now), actor=LEDGER), blocked, now)
            for candidate in candidates
            if candidate.key not in blocked
        ]
        for change in changes:
            values = _values(change) | {"lease_owner": None, "lease_until": None, "fence": POSTING.c.fence + 1}
            self._connection.execute(update(POSTING).where(POSTING.c.key == change.before.key).values(values))
        return changes

    def _announce(self, postings: Sequence[Posting], now: datetime) -> None:
        """One message a posting, in this transaction; watchers get it by its sealed number."""
        Outbox(self._connection, TABLES).add([_message(posting, now) for posting in postings])
        if postings:
            self._committed.queues.add("seal")

    def _resolve(self, changes: Sequence[Change], now: datetime) -> None:
        by_resolution: dict[str, list[str]] = {}
        for change in changes:
            if change.resolution:
                by_resolution.setdefault(change.resolution, []).append(change.after.name)
        for resolution, subjects in by_resolution.items():
            Cases(self._connection).resolve(subjects, resolution, now)

    def _count(self, events: Iterable[str]) -> None:
        """Move each event to the least finished bucket of its postings.

        The event's row is locked before its postings are read: of two workers that finish one posting each, the second
        sees what the first one did.
        """
        names = sorted(set(events))
        if not names:
            return
        columns = ("name", "interface", "company", "currency", "effective_at", "minor_units", "bucket")
        statement = select(*(EVENT.c[name] for name in columns)).where(EVENT.c.name.in_(names))
        rows = self._connection.execute(statement.order_by(EVENT.c.name).with_for_update()).all()
        states: dict[str, list[PostingState]] = {}
        siblings = select(POSTING.c.event, POSTING.c.state).where(POSTING.c.event.in_(names))
        for event, state in self._connection.execute(siblings):
            states.setdefault(event, []).append(PostingState(state))
        totals = []
        moved: dict[str, list[str]] = {}
        for row in rows:
            bucket = bucket_of(states.get(row.name, []))
            if bucket == row.bucket:
                continue
            counted = one_event(row.name, row.minor_units)
            key = TotalKey(row.interface, row.company, row.currency, row.effective_at.date(), row.bucket)
            totals += [(key, -counted), (replace(key, bucket=bucket), counted)]
            moved.setdefault(bucket, []).append(row.name)
        for bucket, those in moved.items():
            self._connection.execute(update(EVENT).where(EVENT.c.name.in_(those)).values(bucket=bucket))
        Totals(self._connection, TABLES).add(totals)

    def _wake(self, postings: Sequence[Posting]) -> None:
        if any(posting.state is PostingState.READY for posting in postings):
            self._committed.queues.add("post")
        if any(posting.state is PostingState.POSTED for posting in postings):
            self._committed.queues.add("match")


def _stamped(change: Change, blocked: set[str], now: datetime) -> Change:
    """With its next version, and READY where it would wait for nothing."""
    after = change.after
    if is_waiting(after) and after.key not in blocked:
        after = unblocked(after, now)
    return replace(change, after=replace(after, version=change.before.version + 1, updated_at=now))


def _check(change: Change) -> None:
    state = change.before.state
    for step in () if change.is_new else change.steps:
        check_transition(state, step)
        state = step


def _values(change: Change) -> dict[str, Any]:
    """The columns that change; always the version."""
    values = changed_columns(change.before, change.after)
    values["attempts"] = change.after.attempts  # else a new state would begin a new budget
    return values


def _differs(change: Change) -> bool:
    """Whether those who watch see a difference in a posting that stays in its state."""
    unseen = {"version": 0, "updated_at": change.before.updated_at, "available_at": change.before.available_at}
    return replace(change.before, **unseen) != replace(change.after, **unseen)  # type: ignore[arg-type]


def _entries(
    posting: Posting, steps: Iterable[PostingState], actor: str, now: datetime, why: str = ""
) -> list[AuditEntry]:
    """One a step. Reasons are the stable words, and what a person said."""
    steps = list(steps)
    return [
        AuditEntry(
            posting.name,
            step.name,
            actor,
            now,
            posting.transaction_id,
            reason=posting.reason if step is steps[-1] else "",
            content_digest=posting.content_digest,
            detail=_detail(posting, step, why),
        )
        for step in steps
    ]


def _noted(posting: Posting, actor: str, now: datetime) -> AuditEntry:
    """Of a change that leaves the state as it is."""
    return AuditEntry(posting.name, NOTED, actor, now, posting.transaction_id, content_digest=posting.content_digest)


def _detail(posting: Posting, step: PostingState, why: str) -> dict[str, str]:
    if step is PostingState.POSTED:
        return {"odoo_number": posting.odoo_number}
    return {"why": why} if why else {}


def _message(posting: Posting, now: datetime) -> Message:
    # Document and digest are looked up when the change is read: they are large.
    text = to_text(replace(posting, document_json="", content_digest="", claim=None))
    identity = hashlib.sha256(f"{posting.key}\n{posting.version}".encode()).hexdigest()
    return Message(identity, topic_of(posting.company), posting.key, posting.transaction_id, text.encode(), now)


def topic_of(company: str) -> str:
    """Where changes of a company's postings are told."""
    return f"ledger.postings.{company}"
