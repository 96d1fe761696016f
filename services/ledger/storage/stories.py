"""Stories: events joined by references, directly or through others, with the documents built of them so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, select, text, update

from libs.events import CommercialDocument, Direction, DocumentKind, Event, event_from_json
from libs.storage.audit import NOTED, AuditEntry, AuditLog

from ..domain.document import Document, document_from_json
from ..domain.event import BuildState
from ..domain.master import PartyWord
from ..domain.posting import LEDGER, posting_name
from ..domain.rules.table import STORY
from ..domain.states import ENDED_UNPOSTED, PostingState
from ..domain.story import Context, Story
from .tables import EVENT, EVENT_REFERENCE, POSTING, TABLES

EVENTS_AT_MOST = 500  # of one story: a reference that joins more is no order's or payment's
_KINDS = [kind.value for kind in STORY]
_DEAD = [state.value for state in ENDED_UNPOSTED]
_Reference = tuple[str, str, str]  # company, kind, value


@dataclass(frozen=True, slots=True)
class _StoryDocument:
    """A document of a story; `age` grows with time."""

    age: int
    event: str
    label: str
    document: Document


class StoryReader:
    """The stories of a company's events, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, companies: Sequence[str]) -> None:
        """One builder of a company at a time, until the transaction ends: builds read each other's documents.

        SQLite has one writer anyway. A lock for each company rather than each story: stories merge while they are
        read, and a company's builds take milliseconds where its postings take Odoo's time.
        """
        if self._connection.dialect.name != "postgresql":
            return
        for company in sorted(set(companies)):
            statement = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
            self._connection.execute(statement, {"name": f"concord.ledger.build.{company}"})

    def of(self, events: Sequence[Event]) -> dict[str, Story]:
        """Each event's story, by the event's name; without documents of the event itself."""
        joined = _Joined(event.name for event in events)
        self._follow(joined, {event.name for event in events})
        members = {event.name: joined.members(event.name) for event in events}
        wanted = sorted({name for names in members.values() for name in names})
        documents = self._documents(wanted)
        customers = self._customers(wanted)
        return {name: _story(name, names, documents, customers) for name, names in members.items()}

    def merge(self, company: str, label: str, others: Sequence[str], now: datetime) -> None:
        """Bring the postings of other stories under one label; what is posted of them is to be reconciled together."""
        mine = (POSTING.c.company == company) & POSTING.c.ar_group.in_(others) & (POSTING.c.ar_group != "")
        reconcile_at = case((POSTING.c.state == PostingState.POSTED.value, now), else_=POSTING.c.reconcile_at)
        merged = update(POSTING).where(mine).values(ar_group=label, reconcile_at=reconcile_at)
        named = (POSTING.c.key, POSTING.c.transaction_id, POSTING.c.content_digest)
        entries = [
            AuditEntry(posting_name(company, key), NOTED, LEDGER, now, transaction_id, content_digest=digest)
            for key, transaction_id, digest in self._connection.execute(merged.returning(*named))
        ]
        AuditLog(self._connection, TABLES).append(sorted(entries))

    def wake(self, company: str, events: Sequence[str], now: datetime) -> None:
        """Build the waiting ones among the events again, now."""
        waiting = (
            EVENT.c.name.in_(events)
            & (EVENT.c.company == company)
            & (EVENT.c.state == BuildState.RECORDED.value)
            & EVENT.c.hold_until.is_not(None)
        )
        self._connection.execute(update(EVENT).where(waiting).values(available_at=now))

    def _follow(self, joined: _Joined, frontier: set[str]) -> None:
        seen: set[_Reference] = set()
        while frontier:
            columns = (EVENT_REFERENCE.c.company, EVENT_REFERENCE.c.kind, EVENT_REFERENCE.c.value)
            here = EVENT_REFERENCE.c.event.in_(sorted(frontier)) & EVENT_REFERENCE.c.kind.in_(_KINDS)
            references = {(row[0], row[1], row[2]) for row in self._connection.execute(select(*columns).where(here))}
            frontier = set()
            for company, kind, values in _grouped(references - seen):
                mine = (EVENT_REFERENCE.c.company == company) & (EVENT_REFERENCE.c.kind == kind)
                statement = (
                    select(EVENT_REFERENCE.c.value, EVENT_REFERENCE.c.issuer, EVENT_REFERENCE.c.event)
                    .where(mine & EVENT_REFERENCE.c.value.in_(values))
                    .limit(len(values) * EVENTS_AT_MOST)
                )
                for value, issuer, event in self._connection.execute(statement):
                    if joined.add((company, kind, value), issuer, event):
                        frontier.add(event)
            seen |= references
            frontier = {event for event in frontier if len(joined.members(event)) <= EVENTS_AT_MOST}

    def _documents(self, events: Sequence[str]) -> dict[str, list[_StoryDocument]]:
        """Of each event; rejected ones have no effect on what follows."""
        columns = (POSTING.c.event, POSTING.c.ar_group, POSTING.c.document)
        live = POSTING.c.event.in_(events) & POSTING.c.state.not_in(_DEAD) & (POSTING.c.document != "")
        rows = self._connection.execute(select(*columns).where(live).order_by(POSTING.c.created_at, POSTING.c.key))
        found: dict[str, list[_StoryDocument]] = {}
        for age, (event, label, document) in enumerate(rows):
            found.setdefault(event, []).append(_StoryDocument(age, event, label, document_from_json(document)))
        return found

    def _customers(self, events: Sequence[str]) -> dict[str, PartyWord]:
        """The buyers whom invoices among the events name; the supplier of a purchase is nobody's customer."""
        statement = select(EVENT.c.name, EVENT.c.payload).where(EVENT.c.name.in_(events), EVENT.c.kind == "document")
        found = {}
        for name, payload in self._connection.execute(statement):
            event = event_from_json(payload)
            body = event.body
            if not isinstance(body, CommercialDocument) or body.direction is Direction.PURCHASE:
                continue
            if body.kind is DocumentKind.INVOICE and body.buyer:
                found[name] = PartyWord(body.buyer.issuer or event.interface, body.buyer.external_id)
        return found


class _Joined:
    """Sets of events that references join (union-find)."""

    def __init__(self, events: Iterable[str]) -> None:
        self._members = {event: {event} for event in events}
        self._bearers: dict[_Reference, dict[str, str]] = {}  # issuer → an event that bears the reference

    def members(self, event: str) -> set[str]:
        return self._members[event]

    def add(self, reference: _Reference, issuer: str, event: str) -> bool:
        """Note that the event bears the reference; true if the event was not known.

        A reference without issuer is anybody's; two issuers' numbers are not each other's.
        """
        new = event not in self._members
        if new:
            self._members[event] = {event}
        bearers = self._bearers.setdefault(reference, {})
        bearers.setdefault(issuer, event)
        for other_issuer, other in bearers.items():
            if other_issuer == issuer or not issuer or not other_issuer:
                self._join(event, other)
        return new

    def _join(self, name: str, other: str) -> None:
        small, large = sorted((self._members[name], self._members[other]), key=len)
        if small is large:
            return
        large |= small
        for event in small:
            self._members[event] = large


def _story(
    name: str,
    members: set[str],
    documents: dict[str, list[_StoryDocument]],
    customers: dict[str, PartyWord],
) -> Story:
    names = sorted(members)
    known = sorted((document for event in names for document in documents.get(event, ())), key=lambda built: built.age)
    labels = sorted({built.label for built in known if built.label})
    label = labels[0] if labels else names[0]
    customer = next((customers[event] for event in names if event in customers), None)
    others = tuple(built.document for built in known if built.event != name)
    return Story(label, tuple(names), tuple(labels[1:]), Context(customer, others))


def _grouped(references: set[_Reference]) -> list[tuple[str, str, list[str]]]:
    groups: dict[tuple[str, str], list[str]] = {}
    for company, kind, value in sorted(references):
        groups.setdefault((company, kind), []).append(value)
    return [(company, kind, values) for (company, kind), values in groups.items()]
