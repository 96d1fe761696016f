"""How the gateway's tables prove themselves: see `libs.storage.proofs`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from libs.handover.proofs import outbound_events, totals_of
from libs.storage.proofs import LEASE, Chained, Child, Derived, Proofs, Working
from libs.storage.rows import stream_rows

from .tables import (
    ALIAS,
    CURSOR,
    DELIVERY,
    DELIVERY_BODY,
    EVENT,
    PAYOUT,
    REFUSED,
    REPLAY,
    TABLES,
    UPLOAD,
    UPLOAD_CHUNK,
)


def _kept_uploads(connection: Connection) -> Iterator[str]:
    """An upload is kept if a delivery names it, and only then."""
    named = "EXISTS (SELECT 1 FROM delivery d WHERE d.upload = u.id)"
    for (upload,) in stream_rows(connection, f"SELECT id FROM upload u WHERE (kept = 1) <> {named}"):  # noqa: S608
        yield f"upload {upload}: it is kept without a delivery, or a delivery's is not kept"
    lost = (
        "SELECT name FROM delivery d WHERE upload <> '' AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.id = d.upload)"
    )
    for (name,) in stream_rows(connection, lost):
        yield f"{name}: its upload is gone"


PROOFS = Proofs(
    TABLES,
    (
        Chained(
            DELIVERY,
            subject="{name}",
            like="sources/*/accounts/*/deliveries/*",
            proved=(
                *("transaction_id", "name", "provider", "account", "channel", "type", "sha256", "body_bytes"),
                *("received_at", "link", "upload", "file_name", "schema_fingerprint", "reason", "events", "state"),
            ),
            working={**LEASE, "waiting_events": "a count of the events that are not handed on yet"},
            children=(
                Child(DELIVERY_BODY, of="transaction_id", parent="transaction_id", by_proof=("body",)),
                Child(
                    UPLOAD_CHUNK,
                    of="upload",
                    parent="upload",
                    proved=("number",),
                    by_proof=("data",),
                    may_come_first=True,
                ),
            ),
        ),
        outbound_events(EVENT),
        Chained(
            PAYOUT,
            subject="sources/{provider}/accounts/{account}/payouts/{payout_id}",
            found_by={"key": "{provider}/{account}/{payout_id}"},
            proved=("key", "provider", "account", "payout_id", "transaction_id", "delivery", "reason", "state"),
            by_proof=("settlement",),
            working=LEASE,
        ),
        Chained(REPLAY, subject="replays/{request_id}", proved=("request_id", "delivery", "requested_by", "at")),
        Chained(ALIAS, subject="transactions/{alias}", proved=("alias", "transaction_id")),
        Derived(
            UPLOAD,
            "kept once a delivery names it",
            _kept_uploads,
            working={"begun_at": "when one that no delivery names is dropped"},
        ),
        Derived(TABLES.total, "what the events that were handed on add up to", totals_of(EVENT)),
        Derived(TABLES.total_delta, "changes of totals that are not folded yet: in the same sum"),
        Working(CURSOR, "how far polls have come; what they brought stands in deliveries"),
        Working(REFUSED, "samples of what was refused: to see why, never to act on"),
        Working(TABLES.outbox_reader, "how far messages were handed on"),
    ),
)
