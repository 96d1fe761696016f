"""Matches with their sides, and the queue of those that Odoo does not show yet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, literal_column, select, update

from libs.listing import After
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.leases import claim, finish, in_state, lease_of
from libs.storage.outbox import Message, Outbox
from libs.storage.rows import insert_rows

from ..domain.errors import MatchUnknown
from ..domain.match import (
    Banked,
    Match,
    MatchOutcome,
    MatchState,
    MatchType,
    Member,
    NewMatch,
    OutboundMatch,
    StoredMatch,
    check_match,
)
from .mapping import SERVICE, listed_after, parts, residuals_text, to_match
from .rows import MATCH, MATCH_MEMBER, TABLES

_CONFIRMED = in_state(MATCH, MatchState.CONFIRMED.value)
_UNDONE = MatchState.UNDONE.value


class Matches:
    """Matches, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, matches: Sequence[NewMatch], now: datetime) -> None:
        """Each is proposed and, being the only one of its rank, confirmed."""
        insert_rows(self._connection, MATCH, [_row(one, now) for one in matches])
        rows = [
            (one.match.name, position, member.posting, member.role, member.transaction_id, 1)
            for one in matches
            for position, member in enumerate((one.anchor, *one.members))
        ]
        columns = ("match", "position", "posting", "role", "transaction_id", "live")
        insert_rows(self._connection, MATCH_MEMBER, rows, columns)
        for one in matches:
            check_match(MatchState.PROPOSED, one.match.state)
        for state in (MatchState.PROPOSED, MatchState.CONFIRMED):
            self._note(
                [(one.match.name, one.company, one.anchor.transaction_id, state, one.match.certificate.rule)
                 for one in matches],
                now,
            )  # fmt: skip

    def get(self, name: str) -> StoredMatch:
        """Raises `MatchUnknown`."""
        found = self._where(MATCH.c.name == name)
        if not found:
            raise MatchUnknown("no such match", field="name")
        return found[0]

    def page(self, company: str, transaction_id: str, size: int, after: After | None) -> list[Match]:
        """Oldest first."""
        statement = select(MATCH).where(MATCH.c.company == company, *listed_after(MATCH, MATCH.c.created_at, after))
        if transaction_id:
            mine = select(MATCH_MEMBER.c.match).where(MATCH_MEMBER.c.transaction_id == transaction_id)
            statement = statement.where(MATCH.c.name.in_(mine))
        rows = self._connection.execute(statement.order_by(MATCH.c.created_at, MATCH.c.name).limit(size)).all()
        return [one.match for one in self._stored(rows)]

    def of_posting(self, company: str, posting: str) -> list[StoredMatch]:
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

    def claim(self, *, limit: int, owner: str, now: datetime, lease_seconds: float) -> list[OutboundMatch]:
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
        stored = self._stored(rows)
        return [
            OutboundMatch(one.match, row.company, row.traceparent, row.attempts, lease_of(MATCH, row))
            for row, one in zip(rows, stored, strict=True)
        ]

    def finish(self, outcomes: Sequence[MatchOutcome], now: datetime) -> set[str]:
        """Names of those that were still ours."""
        finished: list[tuple[Any, dict[str, Any]]] = []
        for one in outcomes:
            values: dict[str, Any] = {"reason": one.reason}
            if one.state is not MatchState.CONFIRMED:
                check_match(one.stored.match.state, one.state)
                values |= {"state": one.state.value, "written_at": one.written_at}
            if one.retry_at is not None:
                values["available_at"] = one.retry_at
                if one.fresh_budget:
                    values["attempts"] = 0
            finished.append((one.stored.lease, values))
        kept: set[str] = finish(self._connection, MATCH, finished, now=now)
        news = [
            one
            for one in outcomes
            if one.stored.match.name in kept and (one.state is not MatchState.CONFIRMED or _newly_stuck(one))
        ]
        anchors = self._anchors_of([one.stored.match.name for one in news])
        self._note(
            [
                (one.stored.match.name, one.stored.company, anchors[one.stored.match.name], one.state, one.reason)
                for one in news
            ],
            now,
        )  # fmt: skip
        return kept

    def failing(self, company: str) -> list[StoredMatch]:
        """Confirmed ones that the ledger could not write."""
        return self._where(_CONFIRMED & (MATCH.c.company == company) & (MATCH.c.reason != ""))

    def undo(self, names: Sequence[str], reason: str, now: datetime) -> None:
        """Takes the matches out of the queue and frees their sides."""
        for name in sorted(names):
            before = self.get(name)
            check_match(before.match.state, MatchState.UNDONE)
            values = {"state": _UNDONE, "reason": reason, "lease_owner": None, "lease_until": None}
            changed = update(MATCH).where(MATCH.c.name == name).values(values | {"fence": MATCH.c.fence + 1})
            self._connection.execute(changed)
            self._connection.execute(update(MATCH_MEMBER).where(MATCH_MEMBER.c.match == name).values(live=0))
            self._note([(name, before.company, before.anchor.transaction_id, MatchState.UNDONE, reason)], now)

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

    def _note(self, news: Sequence[tuple[str, str, str, MatchState, str]], now: datetime) -> None:
        """Audit entries and messages of (name, company, transaction, state, rule or reason)."""
        if not news:
            return
        AuditLog(self._connection, TABLES).append(
            [
                AuditEntry(name, f"MATCH_{state.name}", SERVICE, now, transaction_id, reason=word)
                for name, _, transaction_id, state, word in news
            ]
        )
        Outbox(self._connection, TABLES).add(
            [
                Message(
                    id=_message_id(name, state.value, word, now.isoformat()),
                    topic=f"recon.matches.{company}"[:128],
                    key=name,
                    transaction_id=transaction_id,
                    payload=json.dumps({"match": name, "state": state.value, "reason": word}).encode(),
                    at=now,
                )
                for name, company, transaction_id, state, word in news
            ]
        )

    def _anchors_of(self, names: Sequence[str]) -> dict[str, str]:
        """Whose transaction each match is noted under: its anchor's."""
        table = MATCH_MEMBER.c
        found: dict[str, str] = {}
        for part in parts(sorted(names)):
            statement = select(table.match, table.transaction_id).where(table.match.in_(part), table.position == 0)
            found |= dict(map(tuple, self._connection.execute(statement)))
        return found

    def _where(self, condition: ColumnElement[bool]) -> list[StoredMatch]:
        statement = select(MATCH).where(condition).order_by(MATCH.c.created_at, MATCH.c.name)
        return self._stored(self._connection.execute(statement).all())

    def _stored(self, rows: Sequence[Row[Any]]) -> list[StoredMatch]:
        sides: dict[str, list[Member]] = {}
        table = MATCH_MEMBER
        for part in parts([row.name for row in rows]):
            statement = select(table).where(table.c.match.in_(part)).order_by(table.c.match, table.c.position)
            for one in self._connection.execute(statement):
                sides.setdefault(one.match, []).append(Member(one.posting, one.role, one.transaction_id))
        found = []
        for row in rows:
            anchor, *members = sides[row.name]
            transactions = [one.transaction_id for one in (anchor, *members)]
            match = to_match(row, [one.posting for one in members], transactions)
            found.append(StoredMatch(match, row.company, anchor, tuple(members)))
        return found


def _message_id(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _newly_stuck(one: MatchOutcome) -> bool:
    return bool(one.reason) and one.reason != one.stored.match.reason


def _row(one: NewMatch, now: datetime) -> dict[str, Any]:
    certificate = one.match.certificate
    return {
        "name": one.match.name,
        "company": one.company,
        "type": one.match.type.value,
        "anchor": one.match.anchor,
        "rule_revision": certificate.rule_revision,
        "rule": certificate.rule,
        "candidates": certificate.candidates,
        "snapshot": certificate.snapshot,
        "residuals": residuals_text(certificate),
        "traceparent": one.traceparent,
        "reason": "",
        "created_at": now,
        "state": one.match.state.value,
        "available_at": now,
        "fence": 0,
        "attempts": 0,
    }
