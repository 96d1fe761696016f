"""Confirmed matches and the queue of those that Odoo does not show yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, exists, literal_column, select, true, update

from libs.access import EVERYTHING, AccessScope
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.leases import claim, finish, in_state
from libs.storage.rows import insert_new, insert_rows
from libs.storage.scoping import of_sources

from ..domain.committed import Committed
from ..domain.errors import AppliedMatchUnknown
from ..domain.match import AppliedMatch, AppliedMatchState
from .mapping import MATCHES, lease, renew_claims, to_match
from .tables import APPLIED_MATCH, APPLIED_MATCH_MEMBER, POSTING, TABLES

# As in the partial index.
PENDING = in_state(APPLIED_MATCH, "pending") & (APPLIED_MATCH.c.parked == literal_column("0"))
_OF_COMPANY = PENDING & (APPLIED_MATCH.c.company == bindparam("of_company"))
_CHANGING = ("state", "available_at", "attempts", "parked", "reason", "reason_text", "written_at")


def joins_within(scope: AccessScope) -> ColumnElement[bool]:
    """Of matches: that all they join is of the scope's sources."""
    if scope.every_source:
        return true()
    foreign, member = ~of_sources(POSTING.c.event, scope), APPLIED_MATCH_MEMBER.c
    anchor = exists().where(POSTING.c.key == APPLIED_MATCH.c.anchor, foreign)
    members = exists().where(member.match == APPLIED_MATCH.c.name, POSTING.c.key == member.posting, foreign)
    return ~anchor & ~members


class AppliedMatches:
    """The ledger's matches, within a transaction."""

    def __init__(self, connection: Connection, committed: Committed) -> None:
        self._connection = connection
        self._committed = committed

    def add(self, match: AppliedMatch) -> AppliedMatch:
        """Store it, or give back the stored one of the same name (compare the fingerprints)."""
        row = MATCHES.row_of(match) | {"fingerprint": match.fingerprint, "fence": 0}
        if insert_new(self._connection, APPLIED_MATCH, [row], ["name"]):
            members = [{"match": match.name, "posting": key} for key in match.members]
            insert_rows(self._connection, APPLIED_MATCH_MEMBER, members)
            self._note(match, match.applied_by, match.created_at, new=True)
            self._committed.queues.add("match")
        return self.get(match.name, EVERYTHING)

    def get(self, name: str, scope: AccessScope) -> AppliedMatch:
        """Raises `AppliedMatchUnknown`, also where it joins something beyond the scope's sources."""
        found = self._where((APPLIED_MATCH.c.name == name) & joins_within(scope))
        if not found:
            raise AppliedMatchUnknown("no such match", field="name")
        return found[0]

    def companies_due(self) -> list[str]:
        """Companies with matches that are not written yet."""
        statement = select(APPLIED_MATCH.c.company).where(PENDING).distinct()
        return sorted(self._connection.scalars(statement))

    def claim(self, company: str, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[AppliedMatch]:
        rows = claim(
            self._connection,
            APPLIED_MATCH,
            where=_OF_COMPANY,
            order_by=[APPLIED_MATCH.c.available_at, APPLIED_MATCH.c.name],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
            given={"of_company": company},
        )
        members = self._members([row.name for row in rows])
        return [to_match(row, members.get(row.name, ())) for row in rows]

    def renew(self, match: AppliedMatch, *, now: datetime, lease_seconds: float) -> AppliedMatch | None:
        """The match with its new claim, or None if it is not ours any more."""
        kept = renew_claims(
            self._connection, APPLIED_MATCH, {match.name: match.claim}, now=now, lease_seconds=lease_seconds
        )
        return replace(match, claim=kept[match.name]) if kept else None

    def take_up(self, match: AppliedMatch, now: datetime, actor: str) -> AppliedMatch:
        """Into the queue again, with a new budget: for what is an exception or parked. Of two calls one does it."""
        again = replace(
            match,
            state=AppliedMatchState.PENDING,
            parked=False,
            available_at=now,
            attempts=0,
            reason="",
            reason_text="",
        )
        stands_still = (APPLIED_MATCH.c.state == AppliedMatchState.EXCEPTION.value) | (APPLIED_MATCH.c.parked == 1)
        mine = (APPLIED_MATCH.c.name == match.name) & stands_still
        statement = update(APPLIED_MATCH).where(mine).values(_columns(again)).returning(APPLIED_MATCH.c.name)
        if self._connection.scalars(statement).all():
            self._note(again, actor, now, action="MATCH_RETRIED")
            self._committed.queues.add("match")
        return self.get(match.name, EVERYTHING)

    def finish(self, outcomes: Sequence[tuple[AppliedMatch, AppliedMatch]], now: datetime, actor: str) -> set[str]:
        """(before, after) each; ends the claims. Returns the names that were still ours."""
        finished = [(lease(before.name, before.claim), _columns(after)) for before, after in outcomes if before.claim]
        kept: set[str] = finish(self._connection, APPLIED_MATCH, finished, now=now)
        for before, after in outcomes:
            if before.name not in kept:
                continue
            if after.state is not before.state:
                self._note(after, actor, now)
            elif (after.reason, after.reason_text, after.parked) != (before.reason, before.reason_text, before.parked):
                self._note(after, actor, now, action=NOTED)
        return kept

    def _note(self, match: AppliedMatch, actor: str, now: datetime, *, new: bool = False, action: str = "") -> None:
        action = action or ("MATCH_ACCEPTED" if new else f"MATCH_{match.state.name}")
        entry = AuditEntry(match.name, action, actor, now, "", reason=match.reason, content_digest=match.fingerprint)
        AuditLog(self._connection, TABLES).append([entry], new_subjects=new)

    def _where(self, condition: ColumnElement[bool]) -> list[AppliedMatch]:
        statement = select(APPLIED_MATCH).where(condition)
        rows = self._connection.execute(statement.order_by(APPLIED_MATCH.c.created_at, APPLIED_MATCH.c.name)).all()
        members = self._members([row.name for row in rows])
        return [to_match(row, members.get(row.name, ())) for row in rows]

    def _members(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        table = APPLIED_MATCH_MEMBER
        statement = select(table.c.match, table.c.posting).where(table.c.match.in_(names))
        found: dict[str, tuple[str, ...]] = {}
        for name, key in self._connection.execute(statement.order_by(table.c.match, table.c.posting)):
            found[name] = (*found.get(name, ()), key)
        return found


def _columns(match: AppliedMatch) -> dict[str, Any]:
    """What may change."""
    columns = MATCHES.row_of(match)
    return {name: columns[name] for name in _CHANGING}
