"""Control totals computed again from the events that they count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from .rows import stream_rows
from .totals import MODULUS

_KEPT = """
    SELECT interface, company, currency, CAST(day AS text), bucket, count, minor_units, names_hash FROM total
    UNION ALL
    SELECT interface, company, currency, CAST(day AS text), bucket, count, minor_units, names_hash FROM total_delta
"""
_Sums = dict[tuple[str, ...], list[int]]  # count, minor units and names by interface, company, currency, day, bucket


Counted = tuple[str, str, str, str, str, int, str]


def differing_totals(connection: Connection, events: Iterable[Counted]) -> Iterator[str]:
    """Names the totals that are not what their events add up to.

    Of each counted event: interface, company, currency, day (as a text), bucket, minor units and name.
    """
    counted: _Sums = {}
    for *key, minor_units, name in events:
        _add(counted, key, 1, minor_units, int.from_bytes(sha256(name.encode()).digest(), "big"))
    kept: _Sums = {}
    for *key, count, minor_units, names in stream_rows(connection, _KEPT):
        try:
            _add(kept, key, count, minor_units, int(names, 16))
        except (ValueError, TypeError):  # no number any more
            _add(kept, key, -1, 0, 0)
    nothing = [0, 0, 0]
    for named in sorted(counted.keys() | kept.keys()):
        if counted.get(named, nothing) != kept.get(named, nothing):
            yield f"total {' '.join(named)}: it is not what its events add up to"


def _add(sums: _Sums, key: list[Any], count: int, minor_units: int, names: int) -> None:
    running = sums.setdefault(tuple(key), [0, 0, 0])
    running[0] += count
    running[1] += minor_units
    running[2] = (running[2] + names) % MODULUS
