"""Payouts whose composition is fetched, and the cursors of what is polled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, case, select, update

from libs.events import Settlement, settlement_from_json, settlement_to_json
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.layout import Layout
from libs.storage.leases import claim, ensure_kept, finish, held, in_state, lease_of, renew
from libs.storage.private import proof_of
from libs.storage.repository import Repository
from libs.storage.rows import insert_new

from ..domain.payout import PayoutOutcome, PayoutState, StoredPayout
from ..domain.source import Cursor
from .tables import CURSOR, PAYOUT, TABLES

POLLING = "polling"
_PAYOUTS = Layout(StoredPayout, PAYOUT)
_CURSORS = Layout(Cursor, CURSOR)
_POLLED = in_state(CURSOR, POLLING) & CURSOR.c.source.in_(bindparam("among", expanding=True))


class Payouts(Repository):
    """Payouts, within a transaction."""

    def add(self, payouts: Sequence[StoredPayout], now: datetime) -> None:
        rows = [
            _PAYOUTS.row_of(payout)
            | {"key": payout.key, "settlement": "", "settlement_proof": proof_of("")}
            | {"reason": "", "available_at": now, "fence": 0}
            for payout in sorted(payouts, key=lambda payout: payout.key)
        ]
        new = insert_new(self._connection, PAYOUT, rows, ["key"])
        for payout in {payout.key: payout for payout in payouts if payout.key in new}.values():
            self._audit(payout, PayoutState.WAITING, "", now)

    def release(self, transactions: Select[tuple[str]], now: datetime) -> None:
        """Fetch or hand on anew what was set aside of these transactions."""
        stuck = in_state(PAYOUT, PayoutState.PARKED.value, PayoutState.REFUSED.value)
        again = {"state": PayoutState.WAITING.value, "reason": "", "available_at": now, "attempts": 0}
        changed = update(PAYOUT).where(PAYOUT.c.transaction_id.in_(transactions), stuck).values(again)
        for row in self._connection.execute(changed.returning(*PAYOUT.c)).all():
            self._audit(_stored(row), PayoutState.WAITING, "", now)

    def claim(
        self, state: PayoutState, *, limit: int, owner: str, now: datetime, lease_seconds: float
    ) -> list[StoredPayout]:
        rows = claim(
            self._connection,
            PAYOUT,
            where=in_state(PAYOUT, state.value),
            order_by=[PAYOUT.c.available_at, PAYOUT.c.key],
            limit=limit,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
        )
        return [_stored(row) for row in rows]

    def renew(self, payout: StoredPayout, *, now: datetime, lease_seconds: float) -> StoredPayout | None:
        kept = renew(self._connection, PAYOUT, [held(payout.lease)], now=now, lease_seconds=lease_seconds)
        return replace(payout, lease=kept[0]) if kept else None

    def composed(self, payout: StoredPayout, settlement: Settlement, delivery: str, now: datetime) -> None:
        text = settlement_to_json(settlement)
        values = {
            "state": PayoutState.COMPOSED.value,
            "settlement": text,
            "settlement_proof": proof_of(text),
            "delivery": delivery,
            "reason": "",
            "available_at": now,
        }
        lease = held(payout.lease)
        ensure_kept([lease], finish(self._connection, PAYOUT, [(lease, values)], now=now))
        self._audit(payout, PayoutState.COMPOSED, "", now)

    def finish(self, outcome: PayoutOutcome, now: datetime) -> None:
        if outcome.retry_at is not None:
            values: dict[str, Any] = {"available_at": outcome.retry_at, "reason": outcome.reason}
        else:
            values = {"state": outcome.state.value, "reason": outcome.reason}
        kept = finish(self._connection, PAYOUT, [(held(outcome.stored.lease), values)], now=now)
        if kept:
            self._audit(outcome.stored, outcome.state, outcome.reason, now, noted=outcome.retry_at is not None)

    def _audit(
        self, payout: StoredPayout, state: PayoutState, reason: str, now: datetime, *, noted: bool = False
    ) -> None:
        subject = f"sources/{payout.provider}/accounts/{payout.account}/payouts/{payout.payout_id}"
        action = NOTED if noted else f"SETTLEMENT_{state.name}"
        entry = AuditEntry(subject, action, "gateway", now, payout.transaction_id, reason)
        AuditLog(self._connection, TABLES).append([entry])


class Cursors(Repository):
    """Cursors, within a transaction."""

    def ensure(self, sources: Mapping[str, int], now: datetime) -> None:
        rows = [
            {
                "source": source,
                "position": position,
                "since": position,
                "after": "",
                "newest": position,
                "wakes": 0,
                "state": POLLING,
                "available_at": now,
                "fence": 0,
                "attempts": 0,
            }
            for source, position in sorted(sources.items())
        ]
        insert_new(self._connection, CURSOR, rows, ["source"])

    def wake(self, sources: Iterable[str], now: datetime, *, force: bool = False) -> None:
        for source in sorted(set(sources)):
            # A failing API is not asked sooner because more webhooks come.
            pausing = case(
                (CURSOR.c.attempts > 0, CURSOR.c.available_at), else_=bindparam("now", now, CURSOR.c.available_at.type)
            )
            values = {"wakes": CURSOR.c.wakes + 1, "available_at": now if force else pausing}
            self._connection.execute(update(CURSOR).where(CURSOR.c.source == source).values(values))

    def claim(self, *, among: Sequence[str], owner: str, now: datetime, lease_seconds: float) -> Cursor | None:
        rows = claim(
            self._connection,
            CURSOR,
            where=_POLLED,
            order_by=[CURSOR.c.available_at, CURSOR.c.source],
            limit=1,
            owner=owner,
            now=now,
            lease_seconds=lease_seconds,
            given={"among": list(among)},
        )
        return _cursor(rows[0]) if rows else None

    def finish(self, before: Cursor, after: Cursor, *, polled: bool, at: datetime, now: datetime) -> None:
        values: dict[str, Any] = {"available_at": at}
        if polled:
            values |= {
                "state": POLLING,  # which also starts the count of attempts anew
                "position": after.position,
                "since": after.since,
                "after": after.after,
                "newest": after.newest,
                "polled_at": now,
            }
        lease = held(before.lease)
        ensure_kept([lease], finish(self._connection, CURSOR, [(lease, values)], now=now))
        if polled:
            woken = (CURSOR.c.source == before.source) & (CURSOR.c.wakes > before.wakes)
            self._connection.execute(update(CURSOR).where(woken).values(available_at=now))

    def last_polled(self) -> dict[str, datetime]:
        rows = self._connection.execute(select(CURSOR.c.source, CURSOR.c.polled_at))
        return {row.source: row.polled_at for row in rows if row.polled_at is not None}


def _stored(row: Row[Any]) -> StoredPayout:
    settlement = settlement_from_json(row.settlement) if row.settlement else None
    return _PAYOUTS.value_of(row, settlement=settlement, lease=lease_of(PAYOUT, row))


def _cursor(row: Row[Any]) -> Cursor:
    return _CURSORS.value_of(row, lease=lease_of(CURSOR, row))
