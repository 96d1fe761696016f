"""How recon's tables prove themselves: see `libs.storage.proofs`."""

from __future__ import annotations

from libs.handover.proofs import outbound_events, totals_of
from libs.storage.proofs import LEASE, Chained, Child, Derived, Proofs, Working

from .tables import (
    ALIAS,
    DIFFERENCE,
    IMPORTED_FILE,
    ITEM,
    MATCH,
    MATCH_MEMBER,
    OUTBOUND_EVENT,
    PROGRESS,
    REQUEST,
    SETTLEMENT,
    SETTLEMENT_LINE,
    STATEMENT,
    STATEMENT_LINE,
    STATEMENT_SPAN,
    TABLES,
)

PROOFS = Proofs(
    TABLES,
    (
        outbound_events(OUTBOUND_EVENT),
        Chained(
            ITEM,
            subject="items/{posting}",
            proved=(
                *("posting", "company", "kind", "interface", "event", "event_kind", "effect", "object_id", "source_id"),
                *("transaction_id", "currency", "minor_units", "clearing_units", "day", "side_open", "clearing_open"),
                *("receipt_open", "version", "learned_at"),
            ),
            by_proof=("words",),
            working={
                "verdict": "why the last matching found no counterpart; the next one says it anew",
                "nearest": "as the verdict",
                "nearest_lacks": "as the verdict",
            },
        ),
        Chained(
            MATCH,
            subject="{name}",
            like="companies/*/matches/*",
            proved=(
                *("name", "company", "type", "anchor", "rule_revision", "rule", "candidates", "snapshot"),
                *("traceparent", "reason", "created_at", "written_at", "state"),
            ),
            working=LEASE,
            children=(
                Child(
                    MATCH_MEMBER,
                    of="match",
                    parent="name",
                    proved=("position", "posting", "role", "transaction_id", "live"),
                ),
            ),
        ),
        Chained(
            DIFFERENCE,
            subject="{name}",
            like="companies/*/differences/*",
            proved=(
                *("name", "company", "state", "subject", "transaction_id", "reason", "message", "currency"),
                *("minor_units", "nearest", "nearest_lacks", "owner", "created_at", "updated_at", "version"),
                *("proposed_by", "why", "decided_by"),
            ),
        ),
        Chained(
            STATEMENT,
            subject="{name}",
            like="companies/*/statements/*",
            proved=(
                *("name", "company", "statement_id", "bank_account", "currency", "opening", "closing", "credit_sum"),
                *("debit_sum", "lines", "ties", "imported_at", "transaction_id"),
            ),
            children=(Child(STATEMENT_LINE, of="statement", parent="name", proved=("sequence", "event")),),
        ),
        Chained(
            SETTLEMENT,
            subject="{name}",
            like="companies/*/settlements/*",
            proved=(
                *("name", "company", "interface", "payout_id", "payout_transaction", "currency", "minor_units"),
                *("stated", "arrival_date", "bank_references", "matched", "transaction_id", "delivery", "created_at"),
                "updated_at",
            ),
            children=(
                Child(
                    SETTLEMENT_LINE,
                    of="settlement",
                    parent="name",
                    proved=("position", "balance_transaction", "currency", "gross", "fee", "net"),
                ),
            ),
        ),
        Chained(
            IMPORTED_FILE,
            subject="companies/{company}/files/{sha256}",
            proved=(
                *("company", "sha256", "kind", "interface", "delivery", "file_name", "transaction_id", "answer"),
                "imported_at",
            ),
        ),
        Chained(ALIAS, subject="transactions/{alias}", proved=("alias", "transaction_id")),
        Derived(TABLES.total, "what the events that were handed on add up to", totals_of(OUTBOUND_EVENT)),
        Derived(TABLES.total_delta, "changes of totals that are not folded yet: in the same sum"),
        Working(STATEMENT_SPAN, "the days of a statement's lines, which are proved themselves"),
        Working(PROGRESS, "how far a company's books are known and matched"),
        Working(REQUEST, "first answers, for whoever asks again; what was done stands on the differences"),
        Working(TABLES.outbox_reader, "how far messages were handed on"),
    ),
)
