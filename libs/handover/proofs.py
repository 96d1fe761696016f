"""How events on their way prove themselves (`libs.storage.proofs`), alike in each service that hands over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, Table

from libs.storage.proofs import LEASE, Chained
from libs.storage.recount import Counted, differing_totals
from libs.storage.rows import stream_rows

from .store import HANDED_ON


def outbound_events(table: Table) -> Chained:
    """The declaration of a table with `OutboundColumns`."""
    return Chained(
        table,
        subject="{name}",
        like="sources/*/accounts/*/events/*",
        proved=(
            *("name", "company", "transaction_id", "origin", "digest", "digest_version", "counted", "reason", "state"),
        ),
        by_proof=("payload",),
        working=LEASE,
    )


def totals_of(table: Table) -> Callable[[Connection], Iterator[str]]:
    """The check that the control totals are what the counted events add up to."""

    def check(connection: Connection) -> Iterator[str]:
        statement = f'SELECT name, company, payload FROM "{table.name}" WHERE counted = 1'  # noqa: S608
        return differing_totals(connection, map(_counted, stream_rows(connection, statement)))

    return check


def _counted(row: tuple[str, str, str]) -> Counted:
    """What an event is counted as; as nothing that there is, if its payload is none any more."""
    name, company, payload = row
    try:
        _, provider, _, account, _ = name.split("/", 4)
        event = json.loads(payload)
        currency, minor_units = event["amount"]
        day = datetime.fromisoformat(event["effective_at"]).astimezone(UTC).date().isoformat()
        return f"{provider}/{account}", company, str(currency), day, HANDED_ON, int(minor_units), name
    except (ValueError, KeyError, TypeError):
        return "", company, "", "", HANDED_ON, 0, name
