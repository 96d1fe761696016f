"""The state column is the queue: workers claim rows by the batch, for a time, under a fencing number.

A row may be claimed when its `available_at` has come and no lease on it is running. Each claim raises `fence`. A worker
writes only to rows that still carry the number it got, within its lease: one that wakes up late changes nothing.
Claims, like all else here, happen in the caller's transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
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
from sqlalchemy.sql.dml import ReturningUpdate

from libs.service.work import Lease as Lease

from .errors import LeaseLost
from .rows import update_rows

Order = Column[Any] | UnaryExpression[Any]


def lease_of(table: Table, row: Row[Any]) -> Lease:
    """The lease that a row from `claim` carries."""
    values = row._mapping
    return Lease(values[_key(table).name], values["fence"], values["lease_owner"], values["lease_until"])


def held(lease: Lease | None) -> Lease:
    """The lease that a value from a claimed row carries."""
    assert lease is not None, "only a claimed row is finished"
    return lease


@lru_cache(maxsize=256)
def in_state(table: Table, *states: str) -> ColumnElement[bool]:
    """The row is in one of the states; written out in the statement, so that partial indexes can serve it.

    An index on one state says `state = 'READY'`, one on several `state IN ('READY', 'HELD')`, in the same order.
    """
    if len(states) == 1:
        return table.c.state == bindparam(None, states[0], literal_execute=True)
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
    given: Mapping[str, Any] | None = None,
) -> list[Row[Any]]:
    """Lease up to `limit` rows that are due, in order, and return them as they are after the claim.

    `where` should be one object, made once: building the statement costs more than running it. What varies stands in
    it as bind parameters, whose values are `given`. Rows that another worker is claiming at this moment are passed over
    on PostgreSQL, never waited for.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql":
        # As long as the statistics lag behind a burst, the planner would fetch and sort all that waits, at each claim.
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    until = now + timedelta(seconds=lease_seconds)
    values = {"claim_now": now, "claim_limit": limit, "claim_owner": owner, "claim_until": until}
    rows = connection.execute(_claiming(table, dialect, where, tuple(order_by)), values | dict(given or {}))
    return _ordered(table, list(rows), order_by)


def end_leases(engine: Engine, work: Iterable[tuple[Table, ColumnElement[bool]]]) -> int:
    """End the leases of a dead process, of rows (table, condition) whose work may be done twice. Returns how many.

    Only on SQLite, where the process that starts is the only one. On PostgreSQL others may be alive, and leases run out
    by themselves. Not for work that may still be going on elsewhere, such as a call that Odoo has not answered.
    """
    if engine.dialect.name != "sqlite":
        return 0
    ended = 0
    with engine.begin() as connection:
        for table, condition in work:
            nobodys = {"lease_owner": None, "lease_until": None, "fence": table.c.fence + 1}
            held = condition & table.c.lease_until.is_not(None)
            ended += connection.execute(update(table).where(held).values(nobodys)).rowcount
    return ended


@lru_cache(maxsize=256)
def _claiming(
    table: Table, dialect: str, where: ColumnElement[bool], order_by: tuple[Order, ...]
) -> ReturningUpdate[Any]:
    key, now = _key(table), bindparam("claim_now", type_=table.c.available_at.type)
    due = (table.c.available_at <= now) & or_(table.c.lease_until.is_(None), table.c.lease_until <= now)
    picked = select(key).where(where, due).order_by(*order_by).limit(bindparam("claim_limit", type_=Integer))
    if dialect == "postgresql":
        picked = picked.with_for_update(skip_locked=True)
    # MATERIALIZED on PostgreSQL: a picked set that is inlined may be run, and locked, more than once.
    chosen = picked.cte("picked").prefix_with("MATERIALIZED", dialect="postgresql")
    return (
        update(table)
        .where(key.in_(select(chosen.c[key.name])))
        .values(
            lease_owner=bindparam("claim_owner", type_=table.c.lease_owner.type),
            lease_until=bindparam("claim_until", type_=table.c.lease_until.type),
            fence=table.c.fence + 1,
            attempts=table.c.attempts + 1,
        )
        .returning(table)
    )


def renew(
    connection: Connection, table: Table, leases: Sequence[Lease], *, now: datetime, lease_seconds: float
) -> list[Lease]:
    """Lengthen the leases, counted from `now`. Returns the new ones, of those rows that were still ours."""
    until = now + timedelta(seconds=lease_seconds)
    kept = _write(connection, table, leases, now, {"lease_until": until})
    return [Lease(lease.id, lease.fence, lease.owner, until) for lease in leases if lease.id in kept]


def finish(
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
    values = {"lease_owner": None, "lease_until": None, "available_at": at}
    return _write(connection, table, leases, now, values, untried=True)


def ensure_kept(leases: Sequence[Lease], kept: set[Any]) -> None:
    """Raise `LeaseLost` unless every lease is among the kept ids."""
    lost = sum(lease.id not in kept for lease in leases)
    if lost:
        raise LeaseLost(f"{lost} of {len(leases)} leases are lost")


def _write(
    connection: Connection,
    table: Table,
    leases: Sequence[Lease],
    now: datetime,
    values: Mapping[str, Any],
    *,
    untried: bool = False,
) -> set[Any]:
    kept: set[Any] = set()
    statement = _writing(table, connection.dialect.name, tuple(values), untried)
    new = {f"new_{name}": value for name, value in values.items()}
    for chunk in _chunks(leases):
        kept.update(connection.scalars(statement, new | _given(connection, chunk, now)))
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
    ours = select(key).where(_ours(table, connection.dialect.name)).with_for_update()
    for chunk in _chunks([lease for leases in groups.values() for lease in leases]):
        kept.update(connection.scalars(ours, _given(connection, chunk, now)))
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for values, leases in groups.items():
        rows = by_columns.setdefault(tuple(name for name, _ in values), [])
        rows.extend((lease.id, *(value for _, value in values)) for lease in leases if lease.id in kept)
    for columns, rows in by_columns.items():
        update_rows(connection, table, key.name, columns, rows)
    return kept


@lru_cache(maxsize=256)
def _writing(table: Table, dialect: str, columns: tuple[str, ...], untried: bool) -> ReturningUpdate[Any]:
    """The statement that writes to rows which are ours. To build it costs more than to run it."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
    if untried:
        values["attempts"] = table.c.attempts - 1
    return update(table).where(_ours(table, dialect)).values(values).returning(_key(table))


def _ours(table: Table, dialect: str) -> ColumnElement[bool]:
    """The row is among the leases, with the same fence and owner, and the lease is running. See `_given`."""
    key = _key(table)
    running = (table.c.lease_owner == bindparam("owner")) & (table.c.lease_until > bindparam("now"))
    if dialect == "postgresql":
        ids = bindparam("lease_ids", type_=ARRAY(key.type))
        fences = bindparam("lease_fences", type_=ARRAY(BigInteger))
        given = func.unnest(ids, fences).table_valued("id", "fence").render_derived()
        return tuple_(key, table.c.fence).in_(select(given.c.id, given.c.fence)) & running
    # SQLite finds rows by the key alone; pairs only filter them.
    pairs = tuple_(key, table.c.fence).in_(bindparam("lease_pairs", expanding=True))
    return key.in_(bindparam("lease_ids", expanding=True)) & pairs & running


def _given(connection: Connection, leases: Sequence[Lease], now: datetime) -> dict[str, Any]:
    """The parameters of `_ours`."""
    given: dict[str, Any] = {"owner": leases[0].owner, "now": now, "lease_ids": [lease.id for lease in leases]}
    if connection.dialect.name == "postgresql":
        given["lease_fences"] = [lease.fence for lease in leases]
    else:
        given["lease_pairs"] = [(lease.id, lease.fence) for lease in leases]
    return given


def _chunks(leases: Sequence[Lease]) -> list[Sequence[Lease]]:
    """By owner, and few enough for SQLite's limit on parameters."""
    owners: dict[str, list[Lease]] = {}
    for lease in leases:
        owners.setdefault(lease.owner, []).append(lease)
    return [part[start : start + 1000] for part in owners.values() for start in range(0, len(part), 1000)]


def _ordered(table: Table, rows: list[Row[Any]], order_by: Sequence[Order]) -> list[Row[Any]]:
    """RETURNING keeps no order, so the batch is sorted here; nulls last."""
    positions = {column.name: position for position, column in enumerate(table.c)}
    for clause in reversed(order_by):
        column: Any = clause.element if isinstance(clause, UnaryExpression) else clause
        position = positions[column.name]
        descending = isinstance(clause, UnaryExpression) and getattr(clause.modifier, "__name__", "") == "desc_op"
        rows.sort(key=lambda row: _sort_key(row[position]), reverse=descending)
    return rows


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is None, value)


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key
