"""What follows from the ledger's chained rows, computed again for whoever verifies them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection

from libs.errors import ConcordError
from libs.events import event_from_json
from libs.storage.recount import differing_totals
from libs.storage.rows import stream_rows

from ..domain.event import BuildState
from ..domain.rules.table import TABLE, has_effect
from ..domain.states import BUCKET_ORDER, PostingState, bucket_of
from .events import BUCKETS as BUILD_BUCKETS

_PENDING, _NO_EFFECT = BUILD_BUCKETS[BuildState.RECORDED], BUILD_BUCKETS[BuildState.NO_EFFECT]
_RANKS = " ".join(f"WHEN '{state.value}' THEN {BUCKET_ORDER.index(bucket_of([state]))}" for state in PostingState)
_NAMES = " ".join(f"WHEN {rank} THEN '{bucket}'" for rank, bucket in enumerate(BUCKET_ORDER))
# Events that stand in another bucket than their least finished posting, and those without postings.
_EVENTS = f"""
    SELECT name, bucket, rank, kind, payload FROM (
        SELECT e.name, e.bucket, e.kind, e.payload,
            (SELECT min(CASE p.state {_RANKS} ELSE -1 END) FROM posting p WHERE p.event = e.name) AS rank
        FROM event e
    ) ranked WHERE rank IS NULL OR bucket <> CASE rank {_NAMES} ELSE '' END
"""  # noqa: S608
_KEPT = {
    "sqlite": "json_group_array(json_array(company, kind, value, issuer))",
    "postgresql": "CAST(coalesce(json_agg(json_build_array(company, kind, value, issuer)), '[]') AS text)",
}
_ORPHANS = """
    SELECT DISTINCT event FROM event_reference r WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.name = r.event)
"""
_DAYS = {
    "sqlite": "substr(effective_at, 1, 10)",
    "postgresql": "to_char(effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}


def buckets_of_postings(connection: Connection) -> Iterator[str]:
    """Names the events that are counted in another bucket than where their postings put them."""
    kinds = {kind.value for kind in TABLE}
    for name, bucket, rank, kind, payload in stream_rows(connection, _EVENTS):
        if rank is None and bucket == _PENDING:
            continue
        without_effect = kind not in kinds or not _has_effect(payload)
        if rank is not None or bucket != _NO_EFFECT or not without_effect:
            yield f"{name}: it is counted as {bucket}, and its postings say otherwise"


def totals_of_events(connection: Connection) -> Iterator[str]:
    """Names the totals that are not what the events add up to."""
    columns = f"interface, company, currency, {_DAYS[connection.dialect.name]}, bucket, minor_units, name"
    return differing_totals(connection, stream_rows(connection, f"SELECT {columns} FROM event"))  # noqa: S608


def references_of_events(connection: Connection) -> Iterator[str]:
    """Names the events whose references are not those in their payloads."""
    kept = f"(SELECT {_KEPT[connection.dialect.name]} FROM event_reference WHERE event = e.name)"  # noqa: S608
    for name, company, payload, references in stream_rows(
        connection,
        f"SELECT name, company, payload, {kept} FROM event e",  # noqa: S608
    ):
        if _stated(company, payload) != sorted(map(tuple, json.loads(references))):
            yield f"{name}: its references are not those of its payload"
    for (name,) in stream_rows(connection, _ORPHANS):
        yield f"{name}: references name it, and there is no such event"


def _stated(company: str, payload: str) -> list[tuple[str, ...]] | None:
    """The references that a payload states; None for one that is no payload any more."""
    try:
        stated = json.loads(payload).get("references", [])
        found = {(company, each["kind"], each["value"], each.get("issuer", "")) for each in stated}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return sorted(found)


def _has_effect(payload: str) -> bool:
    """Whether an event has effects in the books; one that can't be read may have."""
    try:
        return has_effect(event_from_json(payload))
    except (ConcordError, ValueError, KeyError, TypeError, AttributeError):
        return True
