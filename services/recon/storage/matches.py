"""Matches with their sides, and the queue of those that Odoo does not show yet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal_column, select, update

from libs.access import EVERYTHING, AccessScope
from libs.listing import After, ListPart
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.leases import claim, finish, in_state, lease_of
from libs.storage.outbox import Message, Outbox
from libs.storage.repository import Repository
from libs.storage.rows import insert_rows, parts

from ..domain.errors import MatchUnknown
from ..domain.match import Banked, ClaimedMatch, Match, MatchOutcome, MatchSide, MatchState, MatchType, check_match
from .mapping import CERTIFICATES, MATCHES, SERVICE, oldest_first
from .seen import matches_of
from .tables import MATCH, MATCH_MEMBER, TABLES

_CONFIRMED = in_state(MATCH, MatchState.CONFIRMED.value)
_UNDONE = MatchState.UNDONE.value


class Matches(Repository):
    """Matches, within a transaction."""

    def add(self, matches: Sequence[Match], now: datetime) -> None:
        """Raises `StorageConflict` where a side is in another match."""
        insert_rows(self._connection, MATCH, list(map(_row, matches)))
        rows = [
            (match.name, position, side.posting, side.role, side.transaction_id, 1)
            for match in matches
            for position, side in enumerate(match.sides)
        ]
        columns = ("match", "position", "posting", "role", "transaction_id", "live")
        insert_rows(self._connection, MATCH_MEMBER, rows, columns)
        self._note([(match, match.state, match.certificate.rule) for match in matches], now)

    def get(self, name: str, scope: AccessScope = EVERYTHING) -> Match:
        """Raises `MatchUnknown`."""
        found = self._where((MATCH.c.name == name) & matches_of(scope))
        if not found:
            raise MatchUnknown("no such match", field="name")
        return found[0]

    def page(
        self, company: str, transaction_id: str, size: int, after: After | None, scope: AccessScope = EVERYTHING
    ) -> ListPart[Match]:
        """Oldest first. An empty transaction id lets every match through."""
        condition = (MATCH.c.company == company) & matches_of(scope)
        if transaction_id:
            mine = select(MATCH_MEMBER.c.match).where(MATCH_MEMBER.c.transaction_id == transaction_id)
            condition &= MATCH.c.name.in_(mine)
        part = oldest_first(self._connection, MATCH, MATCH.c.created_at, condition, size, after)
        return ListPart(self._stored(part.items), part.after)

    def of_posting(self, company: str, posting: str) -> list[Match]:
        mine = select(MATCH_MEMBER.c.match).where(MATCH_MEMBER.c.posting == posting)
        return self._where((MATCH.c.company == company) & MATCH.c.name.in_(mine))

    def taken(self, postings: Sequence[str], role: str) -> set[str]:
        """Those whose role is in a match."""
        found: set[str] = set()
        live = (MATCH_MEMBER.c.live == literal_column("1")) & (MATCH_MEMBER.c.role == role)
        for part in parts(sorted(set(postings))):
            statement = select(MATCH_MEMBER.c.posting).where(live, MATCH_MEMBER.c.posting.in_(part))
            found.update(self._connection.scalars(statement))
        return found

    def generations(self, company: str, anchors: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """How many matches each (type, anchor) has had that were undone."""
        found: dict[tuple[str, str], int] = {}
        for part in parts(sorted({anchor for _, anchor in anchors})):
            statement = (
                select(MATCH.c.type, MATCH.c.anchor, func.count())
                .where(MATCH.c.company == company, MATCH.c.anchor.in_(part), MATCH.c.state == _UNDONE)
                .group_by(MATCH.c.type, MATCH.c.anchor)
            )
            found |= {(kind, anchor): count for kind, anchor, count in self._connection.execute(statement)}
        return found

    def claim(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[ClaimedMatch]:
        rows = claim(
            self._connection,
            MATCH,
            where=_CONFIRMED,
            order_by=[MATCH.c.available_at, MATCH.c.name],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
        )
        matches = self._stored(rows)
        return [
            ClaimedMatch(match, row.attempts, lease_of(MATCH, row)) for row, match in zip(rows, matches, strict=True)
        ]

    def finish(self, outcomes: Sequence[MatchOutcome], now: datetime) -> set[str]:
        """Names of those that were still ours."""
        finished: list[tuple[Any, dict[str, Any]]] = []
        for outcome in outcomes:
            match = outcome.stored.match
            values: dict[str, Any] = {"reason": outcome.reason}
            if outcome.state is not MatchState.CONFIRMED:
                check_match(match.state, outcome.state)
                values |= {"state": outcome.state.value, "written_at": outcome.written_at}
            if outcome.retry_at is not None:
                values["available_at"] = outcome.retry_at
                if outcome.fresh_budget:
                    values["attempts"] = 0
            finished.append((outcome.stored.lease, values))
        kept: set[str] = finish(self._connection, MATCH, finished, now=now)
        ours = [outcome for outcome in outcomes if outcome.stored.match.name in kept]
        news = [outcome for outcome in ours if outcome.state is not MatchState.CONFIRMED or _newly_stuck(outcome)]
        self._note([(outcome.stored.match, outcome.state, outcome.reason) for outcome in news], now)
        changed = [outcome for outcome in ours if outcome not in news and outcome.reason != outcome.stored.match.reason]
        entries = [
            AuditEntry(match.name, NOTED, SERVICE, now, match.anchor.transaction_id, reason=outcome.reason)
            for outcome in changed
            for match in [outcome.stored.match]
        ]
        AuditLog(self._connection, TABLES).append(entries)
        return kept

    def failing(self, company: str) -> list[Match]:
        """Confirmed ones that the ledger could not write."""
        return self._where(_CONFIRMED & (MATCH.c.company == company) & (MATCH.c.reason != ""))

    def undo(self, names: Sequence[str], reason: str, now: datetime) -> None:
        """Takes the matches out of the queue and frees their sides."""
        for name in sorted(names):
            before = self.get(name)
            check_match(before.state, MatchState.UNDONE)
            values = {"state": _UNDONE, "reason": reason, "lease_owner": None, "lease_until": None}
            changed = update(MATCH).where(MATCH.c.name == name).values(values | {"fence": MATCH.c.fence + 1})
            self._connection.execute(changed)
            self._connection.execute(update(MATCH_MEMBER).where(MATCH_MEMBER.c.match == name).values(live=0))
            self._note([(before, MatchState.UNDONE, reason)], now)

    def banked(self, payouts: Sequence[str]) -> list[Banked]:
        """Of payouts (keys) that are matched both with their transactions and with the bank."""
        live = MATCH_MEMBER.c.live == literal_column("1")
        joined = select(MATCH_MEMBER, MATCH.c.traceparent).join(MATCH, MATCH.c.name == MATCH_MEMBER.c.match).where(live)
        found = []
        for part in parts(sorted(set(payouts))):
            composed = joined.where(MATCH.c.type == MatchType.PAYOUT_TRANSACTIONS.value, MATCH.c.anchor.in_(part))
            paid_out: dict[str, set[str]] = {}
            for row in self._connection.execute(composed.add_columns(MATCH.c.anchor)):
                if row.posting != row.anchor:
                    paid_out.setdefault(row.anchor, set()).add(row.transaction_id)
            at_bank = joined.where(MATCH.c.type == MatchType.BANK_PAYOUT.value, MATCH_MEMBER.c.posting.in_(part))
            found += [
                Banked(row.posting, row.match, row.traceparent, tuple(sorted(paid_out[row.posting])))
                for row in self._connection.execute(at_bank.order_by(MATCH_MEMBER.c.posting))
                if row.posting in paid_out
            ]
        return found

    def _note(self, news: Sequence[tuple[Match, MatchState, str]], now: datetime) -> None:
        """Audit entries and messages of (match, new state, rule or reason), under the anchor's transaction."""
        if not news:
            return
        AuditLog(self._connection, TABLES).append(
            [
                AuditEntry(match.name, f"MATCH_{state.name}", SERVICE, now, match.anchor.transaction_id, reason=word)
                for match, state, word in news
            ]
        )
        Outbox(self._connection, TABLES).add(
            [
                Message(
                    id=_message_id(match.name, state.value, word, now.isoformat()),
                    topic=f"recon.matches.{match.company}"[:128],
                    key=match.name,
                    transaction_id=match.anchor.transaction_id,
                    payload=json.dumps({"match": match.name, "state": state.value, "reason": word}).encode(),
                    at=now,
                )
                for match, state, word in news
            ]
        )

    def _where(self, condition: ColumnElement[bool]) -> list[Match]:
        statement = select(MATCH).where(condition).order_by(MATCH.c.created_at, MATCH.c.name)
        return self._stored(self._connection.execute(statement).all())

    def _stored(self, rows: Sequence[Row[Any]]) -> list[Match]:
        sides: dict[str, list[MatchSide]] = {}
        member = MATCH_MEMBER.c
        for part in parts([row.name for row in rows]):
            statement = select(MATCH_MEMBER).where(member.match.in_(part)).order_by(member.match, member.position)
            for found in self._connection.execute(statement):
                sides.setdefault(found.match, []).append(MatchSide(found.posting, found.role, found.transaction_id))
        return [_match(row, *sides[row.name]) for row in rows]


def _message_id(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _newly_stuck(outcome: MatchOutcome) -> bool:
    return bool(outcome.reason) and outcome.reason != outcome.stored.match.reason


def _row(match: Match) -> dict[str, Any]:
    queued = {"available_at": match.created_at, "fence": 0, "attempts": 0}
    return MATCHES.row_of(match) | CERTIFICATES.row_of(match.certificate) | queued | {"anchor": match.anchor.posting}


def _match(row: Row[Any], anchor: MatchSide, *members: MatchSide) -> Match:
    return MATCHES.value_of(row, anchor=anchor, members=members, certificate=CERTIFICATES.value_of(row))
