"""How the ledger's tables prove themselves: see `libs.storage.proofs`."""

from __future__ import annotations

from libs.storage.proofs import LEASE, Chained, Child, Derived, Proofs, Working

from .derived import buckets_of_postings, references_of_events, totals_of_events
from .tables import (
    APPLIED_MATCH,
    APPLIED_MATCH_MEMBER,
    EVENT,
    EVENT_REFERENCE,
    EXCEPTION_CASE,
    EXCHANGE_ENTRY,
    POSTING,
    POSTING_DEPENDENCY,
    REQUEST,
    TABLES,
    TRANSACTION_ALIAS,
)

PROOFS = Proofs(
    TABLES,
    (
        Chained(
            EVENT,
            subject="{name}",
            like="sources/*/accounts/*/events/*",
            proved=(
                *("name", "company", "interface", "kind", "object_id", "transaction_id", "digest", "digest_version"),
                *("minor_units", "currency", "effective_at", "recorded_at", "recorded_by", "traceparent"),
            ),
            by_proof=("payload",),
            working={
                **LEASE,
                "state": "where it stands in the build queue; its postings say what was built",
                "build_due": "whether it waits in the build queue",
                "mapping_revision": "of the last build; what was built with it stands on the postings",
                "hold_until": "when the build queue gives up waiting",
            },
            derived=("bucket",),
            check=buckets_of_postings,
        ),
        Chained(
            POSTING,
            subject="companies/{company}/postings/{key}",
            proved=(
                *("key", "company", "event", "transaction_id", "effect", "state", "lane", "content_digest"),
                *("document_type", "ar_group", "mapping_revision", "mapping_by", "odoo_model", "odoo_id"),
                *("odoo_number", "posted_date", "posted_at", "reconciliation", "open_roles", "reason", "reason_text"),
                *("tries", "first_attempt_at", "last_attempt_at", "hold_until", "parked", "made_by", "approved_by"),
                *("minor_units", "currency", "version", "created_at", "updated_at"),
            ),
            by_proof=("document", "built_message", "state_message"),
            working={**LEASE, "reconcile_at": "when its story's turn is"},
            children=(Child(POSTING_DEPENDENCY, of="posting", parent="key", proved=("predecessor",)),),
        ),
        Chained(
            APPLIED_MATCH,
            subject="{name}",
            like="companies/*/matches/*",
            proved=(
                *(
                    "name",
                    "company",
                    "type",
                    "anchor",
                    "rule_revision",
                    "traceparent",
                    "fingerprint",
                    "state",
                    "parked",
                ),
                *("reason", "reason_text", "applied_by", "created_at", "written_at"),
            ),
            working=LEASE,
            children=(Child(APPLIED_MATCH_MEMBER, of="match", parent="name", proved=("posting",)),),
        ),
        Chained(
            EXCEPTION_CASE,
            subject="companies/{company}/exceptions/{id}",
            proved=(
                *("id", "company", "subject", "transaction_id", "category", "state", "reason", "message", "owner"),
                *("actions", "minor_units", "currency", "created_at", "resolved_at", "resolution"),
            ),
        ),
        Chained(
            EXCHANGE_ENTRY,
            subject="companies/{company}/exchangeEntries/{odoo_id}",
            proved=("company", "odoo_id", "number", "day", "cause", "found_at"),
        ),
        Chained(
            TRANSACTION_ALIAS,
            subject="transactions/{alias}",
            proved=("alias", "transaction_id", "created_at"),
        ),
        Derived(EVENT_REFERENCE, "the references in the events' payloads", references_of_events),
        Derived(TABLES.total, "what the events add up to, by bucket", totals_of_events),
        Derived(TABLES.total_delta, "changes of totals that are not folded yet: in the same sum"),
        Working(REQUEST, "first answers, for whoever asks again; what was done stands on the postings"),
        Working(TABLES.outbox_reader, "how far messages were handed on"),
    ),
)
