"""Control totals without hot rows: each commit appends deltas, the sealer folds them.

A set of event names is kept as the sum of the names' SHA-256 modulo 2^256. The order of additions does not matter, and
a name that leaves a bucket is subtracted. Two sides that counted the same names have the same sum. Money is kept as its
sum modulo 2^64, from -2^63 to 2^63 - 1, for the same reason: a sum that the store cannot hold stops no neighbour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, select, tuple_, union_all

from libs.access import EVERYTHING, AccessScope

from .rows import insert_rows, parts
from .scoping import in_sources
from .tables import SystemTables

MODULUS = 2**256
KEY = ("interface", "company", "currency", "day", "bucket")


@dataclass(frozen=True, slots=True)
class TotalKey:
    """What is counted apart: a bucket of a day of an interface, by company and currency."""

    interface: str
    company: str
    currency: str
    day: date
    bucket: str


@dataclass(frozen=True, slots=True)
class Total:
    """Count, money in minor units, and the set of event names (see the module). A change may be negative."""

    count: int = 0
    minor_units: int = 0
    names: int = 0

    def __add__(self, other: Total) -> Total:
        units = _within(self.minor_units + other.minor_units)
        return Total(self.count + other.count, units, (self.names + other.names) % MODULUS)

    def __neg__(self) -> Total:
        return Total(-self.count, _within(-self.minor_units), -self.names % MODULUS)


def _within(units: int) -> int:
    """The same modulo 2^64, as the store's signed 64 bits hold it."""
    return (units + _HALF) % (2 * _HALF) - _HALF


_HALF = 2**63


def one_event(name: str, minor_units: int) -> Total:
    """What one event adds to its bucket."""
    return Total(1, minor_units, int.from_bytes(sha256(name.encode()).digest(), "big"))


class Totals:
    """The totals of a service, within a transaction."""

    def __init__(self, connection: Connection, tables: SystemTables) -> None:
        self._connection = connection
        self._tables = tables

    def add(self, changes: Iterable[tuple[TotalKey, Total]]) -> None:
        """Append changes; those of one key become one row."""
        sums = _summed(changes)
        rows = [_row(key, total) for key, total in sums.items() if total != Total()]
        insert_rows(self._connection, self._tables.total_delta, rows)

    def read(self, *, company: str | None = None, scope: AccessScope = EVERYTHING) -> dict[TotalKey, Total]:
        """The totals of this moment, folded or not, of the scope's sources."""
        tables = []
        for table in (self._tables.total, self._tables.total_delta):
            part = select(*(table.c[name] for name in KEY), table.c.count, table.c.minor_units, table.c.names_hash)
            if company is not None:
                part = part.where(table.c.company == company)
            tables.append(part.where(in_sources(table.c.interface, scope)))
        # One statement, hence one moment: what is folded while we read is seen on exactly one side.
        return _summed(map(_from_row, self._connection.execute(union_all(*tables))))

    def fold(self, limit: int) -> int:
        """Add up to `limit` deltas to the totals and remove them. Only for the sealer, which is alone in doing so."""
        delta, total = self._tables.total_delta, self._tables.total
        columns = [delta.c[name] for name in (*KEY, "count", "minor_units", "names_hash", "id")]
        rows = self._connection.execute(select(*columns).order_by(delta.c.id).limit(limit)).all()
        if not rows:
            return 0
        sums = _summed(map(_from_row, rows))
        keys = [(key.interface, key.company, key.currency, key.day, key.bucket) for key in sums]
        key_columns = tuple_(*(total.c[name] for name in KEY))
        for part in parts(keys):
            present = self._connection.execute(delete(total).where(key_columns.in_(part)).returning(*total.c))
            for key, before in map(_from_row, present.all()):
                sums[key] = sums[key] + before
        insert_rows(self._connection, total, [_row(key, each) for key, each in sums.items()])
        for part in parts([row.id for row in rows]):
            self._connection.execute(delete(delta).where(delta.c.id.in_(part)))
        return len(rows)


def _summed(changes: Iterable[tuple[TotalKey, Total]]) -> dict[TotalKey, Total]:
    sums: dict[TotalKey, list[int]] = {}
    for key, change in changes:
        running = sums.get(key)
        if running is None:
            sums[key] = [change.count, change.minor_units, change.names]
        else:
            running[0] += change.count
            running[1] += change.minor_units
            running[2] += change.names
    return {key: Total(count, _within(units), names % MODULUS) for key, (count, units, names) in sums.items()}


def _row(key: TotalKey, total: Total) -> dict[str, Any]:
    return {
        "interface": key.interface,
        "company": key.company,
        "currency": key.currency,
        "day": key.day,
        "bucket": key.bucket,
        "count": total.count,
        "minor_units": total.minor_units,
        "names_hash": f"{total.names:064x}",
    }


def _from_row(row: Row[Any]) -> tuple[TotalKey, Total]:
    interface, company, currency, day, bucket, count, minor_units, names_hash = tuple(row)[:8]
    return TotalKey(interface, company, currency, day, bucket), Total(count, minor_units, int(names_hash, 16))
