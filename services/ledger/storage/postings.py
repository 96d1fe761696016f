"""Postings: questions asked of them, and their queue. Their changes are in `transitions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, literal_column, select

from libs.events import ReferenceKind
from libs.listing import After
from libs.storage.engine import in_index_order
from libs.storage.leases import claim, in_state
from libs.storage.pages import Listing
from libs.storage.scoping import of_sources

from ..domain.committed import Committed
from ..domain.errors import PostingUnknown
from ..domain.listed import ListedPosting
from ..domain.posting import Change, Posting, PostingQuery
from ..domain.posting_changes import kept_back
from ..message import whole_message
from .mapping import renew_claims, to_posting
from .standing import doubts_of
from .tables import EVENT_REFERENCE, POSTING
from .transitions import Transitions

# As in the partial index: what waits to be posted, and what a worker that died left in the middle.
QUEUED = in_state(POSTING, "ready", "unknown", "posting") & (POSTING.c.parked == literal_column("0"))
HELD = in_state(POSTING, "held")
_OF_COMPANY = QUEUED & (POSTING.c.company == bindparam("of_company"))
_OF_COMPANY_AND_TYPE = _OF_COMPANY & (POSTING.c.document_type == bindparam("of_type"))
_OLDEST_FIRST = (POSTING.c.created_at, POSTING.c.key)
_BEARERS = select(EVENT_REFERENCE.c.event).where(
    EVENT_REFERENCE.c.company == bindparam("company"),
    # Any kind: it is the second column of the key, without which this is a scan.
    EVENT_REFERENCE.c.kind.in_([kind.value for kind in ReferenceKind]),
    EVENT_REFERENCE.c.value == bindparam("reference"),
)
_LISTED = Listing(
    columns=[POSTING.c.created_at, POSTING.c.key, POSTING.c.built_message, POSTING.c.state_message],
    order=_OLDEST_FIRST,
    filters={
        "company": POSTING.c.company == bindparam("company"),
        "states": POSTING.c.state.in_(bindparam("states", expanding=True)),
        "transaction_id": POSTING.c.transaction_id == bindparam("transaction_id"),
        "event": POSTING.c.event == bindparam("event"),
        "reference": POSTING.c.event.in_(_BEARERS),
    },
)


class Postings:
    """The ledger's postings, within a transaction."""

    def __init__(self, connection: Connection, committed: Committed) -> None:
        self._connection = connection
        self._transitions = Transitions(connection, committed)

    def get(self, company: str, key: str, *, lock: bool = False) -> Posting:
        """Raises `PostingUnknown`. `lock` keeps others from changing it until the transaction ends."""
        statement = select(POSTING).where(POSTING.c.key == key, POSTING.c.company == company)
        row = self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        if row is None:
            raise PostingUnknown("no such posting", field="name")
        return to_posting(row)

    def find(self, keys: Sequence[str]) -> dict[str, Posting]:
        return {posting.key: posting for posting in self._where(POSTING.c.key.in_(keys))} if keys else {}

    def of_events(self, events: Sequence[str]) -> dict[str, list[Posting]]:
        found: dict[str, list[Posting]] = {}
        for posting in self._where(POSTING.c.event.in_(events)) if events else ():
            found.setdefault(posting.event, []).append(posting)
        return found

    def page(self, query: PostingQuery, size: int, after: After | None) -> list[ListedPosting]:
        """Oldest first, at most `size`."""
        narrowed = {
            "states": [state.value for state in query.states],
            "transaction_id": query.transaction_id,
            "event": query.event,
            "reference": query.reference,
        }
        given = {"company": query.company} | {name: value for name, value in narrowed.items() if value}
        if given.keys() <= {"company", "states"}:
            in_index_order(self._connection)
        seen = None if query.scope.every_source else of_sources(POSTING.c.event, query.scope)
        rows = _LISTED.page(self._connection, given, size, after, only=seen)
        older = self.find([key for _, key, built, state in rows if built is None or state is None])
        return [
            ListedPosting(at, key, whole_message(older[key]) if key in older else built + state)
            for at, key, built, state in rows
        ]

    def apply(self, changes: Sequence[Change], now: datetime) -> set[str]:
        """See `Transitions.apply`."""
        return self._transitions.apply(changes, now)

    def blocked(self, keys: Sequence[str]) -> set[str]:
        return self._transitions.blocked(keys)

    def companies_to_post(self) -> list[str]:
        """One step into the index for each company, however long its queue is."""
        companies: list[str] = []
        last = ""
        while True:
            statement = select(POSTING.c.company).where(QUEUED, POSTING.c.company > last)
            found = self._connection.scalar(statement.order_by(POSTING.c.company).limit(1))
            if found is None:
                return companies
            companies.append(found)
            last = found

    def claim_to_post(
        self, company: str, *, limit: int, owner: str, now: datetime, lease_seconds: float, document_type: str = ""
    ) -> list[Posting]:
        """Take what is due, interactive first, as POSTING with one more try; of one document type, if one is named.

        One that was changed past the ledger, or lacks an approval that it needs, becomes an exception instead.
        To be committed before a byte leaves: `tries > 1` says that an earlier attempt was made, so that its worker
        looks before it writes. What a dead worker left in POSTING passes through UNKNOWN.
        """
        order = [POSTING.c.lane, POSTING.c.available_at, POSTING.c.key]
        rows = claim(
            self._connection,
            POSTING,
            where=_OF_COMPANY_AND_TYPE if document_type else _OF_COMPANY,
            order_by=order,
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
            given={"of_company": company} | ({"of_type": document_type} if document_type else {}),
        )
        claimed = [to_posting(row) for row in rows]
        doubts = doubts_of(self._connection, claimed) if claimed else {}
        if doubts:
            doubted = [posting for posting in claimed if posting.key in doubts]
            self._transitions.apply([kept_back(posting, doubts[posting.key]) for posting in doubted], now)
        return self._transitions.attempt([posting for posting in claimed if posting.key not in doubts], now)

    def next_to_post(self, company: str, now: datetime) -> str | None:
        """The document type of what is due first."""
        due = (POSTING.c.available_at <= now) & (POSTING.c.lease_until.is_(None) | (POSTING.c.lease_until <= now))
        statement = select(POSTING.c.document_type).where(QUEUED, POSTING.c.company == company, due)
        order = (POSTING.c.lane, POSTING.c.available_at, POSTING.c.key)
        found: str | None = self._connection.scalar(statement.order_by(*order).limit(1))
        return found

    def claim_held(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[Posting]:
        """Held ones whose deadline has come."""
        rows = claim(
            self._connection,
            POSTING,
            where=HELD,
            order_by=[POSTING.c.available_at, POSTING.c.key],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
        )
        return [to_posting(row) for row in rows]

    def renew(self, postings: Sequence[Posting], *, now: datetime, lease_seconds: float) -> list[Posting]:
        """Those that are still ours, with their new claim."""
        claims = {posting.key: posting.claim for posting in postings}
        kept = renew_claims(self._connection, POSTING, claims, now=now, lease_seconds=lease_seconds)
        return [replace(posting, claim=kept[posting.key]) for posting in postings if posting.key in kept]

    def _where(self, condition: ColumnElement[bool]) -> list[Posting]:
        rows = self._connection.execute(select(POSTING).where(condition).order_by(*_OLDEST_FIRST))
        return [to_posting(row) for row in rows]
