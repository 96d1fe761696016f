"""The state column is the queue: workers claim rows by the batch, for a time, under a fencing number.

A row may be claimed when its `available_at` has come and no lease on it is running. Each claim raises `fence`. A worker
writes only to rows that still carry the number it got, within its lease: one that wakes up late changes nothing.
Claims, like all else here, happen in the caller's transaction.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Row,
    Table,
    UnaryExpression,
    bindparam,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlmodel import Field, SQLModel

from .errors import LeaseLost
from .rows import update_rows
from .types import UtcTimestamp

Order = Column[Any] | UnaryExpression[Any]


class LeaseColumns(SQLModel):
    """The columns of a row that waits for work: `class JobRow(LedgerRow, LeaseColumns, table=True)`.

    `attempts` counts claims since the row came to its present state, so that work which kills its worker runs out of
    budget as well.
    """

    state: str = Field(max_length=32)
    available_at: datetime = Field(sa_type=UtcTimestamp)
    lease_owner: str | None = Field(default=None, max_length=128)
    lease_until: datetime | None = Field(default=None, sa_type=UtcTimestamp)
    fence: int = Field(default=0, sa_type=BigInteger)
    attempts: int = Field(default=0)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one row until `until`."""

    id: Any  # the row's primary key
    fence: int
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often technical failures are retried, and how far apart (full jitter, growing by two)."""

    base_seconds: float = 1.0
    cap_seconds: float = 300.0
    max_attempts: int = 12

    def next_try(self, attempts: int, now: datetime, rng: random.Random) -> datetime | None:
        """When to try again after `attempts` tries, or None if the budget is spent and the row must be parked."""
        if attempts >= self.max_attempts:
            return None
        return now + timedelta(seconds=backoff(attempts, rng, self.base_seconds, self.cap_seconds))


def backoff(attempt: int, rng: random.Random, base_seconds: float, cap_seconds: float) -> float:
    """Seconds to wait after the given attempt (from 1): anything up to base × 2^(attempt-1), at most the cap."""
    return rng.random() * min(cap_seconds, base_seconds * 2.0 ** min(max(attempt, 1) - 1, 60))


def lease_of(table: Table, row: Row[Any]) -> Lease:
    """The lease that a row from `claim` carries."""
    values = row._mapping
    return Lease(values[_key(table).name], values["fence"], values["lease_owner"], values["lease_until"])


def in_state(table: Table, *states: str) -> ColumnElement[bool]:
    """The row is in one of the states; written out in the statement, so that partial indexes can serve it."""
    return table.c.state.in_(bindparam(None, list(states), expanding=True, literal_execute=True))


def claim(
    connection: Connection,
    table: Table,
    *,
    where: ColumnElement[bool],
    order_by: Sequence[Order],
    limit: int,
    owner: str,
    now: datetime,
    lease_seconds: float,
) -> list[Row[Any]]:
    """Lease up to `limit` rows that are due, in order, and return them as they are after the claim.

    Rows that another worker is claiming at this moment are passed over on PostgreSQL, never waited for.
    """
    key = _key(table)
    due = (table.c.available_at <= now) & or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    picked = select(key).where(where, due).order_by(*order_by).limit(limit)
    if connection.dialect.name == "postgresql":
        picked = picked.with_for_update(skip_locked=True)
    # MATERIALIZED on PostgreSQL: a picked set that is inlined may be run, and locked, more than once.
    chosen = picked.cte("picked").prefix_with("MATERIALIZED", dialect="postgresql")
    statement = (
        update(table)
        .where(key.in_(select(chosen.c[key.name])))
        .values(
            lease_owner=owner,
            lease_until=now + timedelta(seconds=lease_seconds),
            fence=table.c.fence + 1,
            attempts=table.c.attempts + 1,
        )
        .returning(*table.c)
    )
    return _ordered(list(connection.execute(statement)), order_by)


def renew(
    connection: Connection, table: Table, leases: Sequence[Lease], *, now: datetime, lease_seconds: float
) -> list[Lease]:
    """Lengthen the leases, counted from `now`. Returns the new ones, of those rows that were still ours."""
    until = now + timedelta(seconds=lease_seconds)
    kept = _write(connection, table, leases, now, {"lease_until": until})
    return [Lease(lease.id, lease.fence, lease.owner, until) for lease in leases if lease.id in kept]


def settle(
    connection: Connection, table: Table, outcomes: Sequence[tuple[Lease, Mapping[str, Any]]], *, now: datetime
) -> set[Any]:
    """Write each row's new values and end its lease. Returns the ids that were still ours; the others are untouched.

    A new state starts with `attempts` 0 unless the values say otherwise.
    """
    groups: dict[tuple[tuple[str, Any], ...], list[Lease]] = {}
    for lease, values in outcomes:
        ended: dict[str, Any] = {"lease_owner": None, "lease_until": None}
        if "state" in values:
            ended["attempts"] = 0
        groups.setdefault(tuple(sorted((ended | dict(values)).items())), []).append(lease)
    if len(groups) <= 4:
        kept: set[Any] = set()
        for changes, group in groups.items():
            kept |= _write(connection, table, group, now, dict(changes))
        return kept
    return _write_each(connection, table, groups, now)


def release(connection: Connection, table: Table, leases: Sequence[Lease], *, now: datetime, at: datetime) -> set[Any]:
    """Give rows back untried, to be claimed again from `at` on; the attempt does not count."""
    values = {"lease_owner": None, "lease_until": None, "available_at": at, "attempts": table.c.attempts - 1}
    return _write(connection, table, leases, now, values)


def ensure_kept(leases: Sequence[Lease], kept: set[Any]) -> None:
    """Raise `LeaseLost` unless every lease is among the kept ids."""
    lost = sum(lease.id not in kept for lease in leases)
    if lost:
        raise LeaseLost(f"{lost} of {len(leases)} leases are lost")


def _write(
    connection: Connection, table: Table, leases: Sequence[Lease], now: datetime, values: Mapping[str, Any]
) -> set[Any]:
    kept: set[Any] = set()
    for chunk in _chunks(leases):
        statement = update(table).where(_ours(connection, table, chunk, now)).values(values).returning(_key(table))
        kept.update(connection.scalars(statement))
    return kept


def _write_each(
    connection: Connection,
    table: Table,
    groups: Mapping[tuple[tuple[str, Any], ...], Sequence[Lease]],
    now: datetime,
) -> set[Any]:
    """Many rows with values of their own: lock those that are ours, then one statement for each set of columns."""
    key = _key(table)
    kept: set[Any] = set()
    for chunk in _chunks([lease for leases in groups.values() for lease in leases]):
        kept.update(connection.scalars(select(key).where(_ours(connection, table, chunk, now)).with_for_update()))
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for values, leases in groups.items():
        rows = by_columns.setdefault(tuple(name for name, _ in values), [])
        rows.extend((lease.id, *(value for _, value in values)) for lease in leases if lease.id in kept)
    for columns, rows in by_columns.items():
        update_rows(connection, table, key.name, columns, rows)
    return kept


def _ours(connection: Connection, table: Table, leases: Sequence[Lease], now: datetime) -> ColumnElement[bool]:
    """The row is among the leases, with the same fence and owner, and the lease is running."""
    key = _key(table)
    running = (table.c.lease_owner == leases[0].owner) & (table.c.lease_until > now)
    if connection.dialect.name == "postgresql":
        given = (
            func.unnest(
                bindparam(None, [lease.id for lease in leases], type_=ARRAY(key.type)),
                bindparam(None, [lease.fence for lease in leases], type_=ARRAY(BigInteger)),
            )
            .table_valued("id", "fence")
            .render_derived()
        )
        pairs = select(given.c.id, given.c.fence)
        return tuple_(key, table.c.fence).in_(pairs) & running
    return tuple_(key, table.c.fence).in_([(lease.id, lease.fence) for lease in leases]) & running


def _chunks(leases: Sequence[Lease]) -> list[Sequence[Lease]]:
    """By owner, and few enough for SQLite's limit on parameters."""
    owners: dict[str, list[Lease]] = {}
    for lease in leases:
        owners.setdefault(lease.owner, []).append(lease)
    return [part[start : start + 1000] for part in owners.values() for start in range(0, len(part), 1000)]


def _ordered(rows: list[Row[Any]], order_by: Sequence[Order]) -> list[Row[Any]]:
    """RETURNING keeps no order, so the batch is sorted here; nulls last."""
    for clause in reversed(order_by):
        column: Any = clause.element if isinstance(clause, UnaryExpression) else clause
        descending = isinstance(clause, UnaryExpression) and getattr(clause.modifier, "__name__", "") == "desc_op"
        rows.sort(key=lambda row: _sort_key(row._mapping[column]), reverse=descending)
    return rows


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is None, value)


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key
