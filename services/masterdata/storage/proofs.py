"""How masterdata's tables prove themselves: see `libs.storage.proofs`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from libs.storage.proofs import Chained, Child, Derived, Proofs, Working
from libs.storage.recount import differing_totals

from .tables import (
    ACCOUNT,
    CURRENCY,
    EXCHANGE_RATE,
    EXTERNAL_REFERENCE,
    JOURNAL,
    LEGAL_ENTITY,
    MAPPING_SET,
    PARTY,
    PRODUCT,
    REQUEST,
    SYNC_RUN,
    TABLES,
    TAX_CODE,
)


def _nothing_is_counted(connection: Connection) -> Iterator[str]:
    return differing_totals(connection, ())


PROOFS = Proofs(
    TABLES,
    (
        Chained(
            PARTY,
            subject="companies/{company}/parties/{odoo_id}",
            proved=("company", "odoo_id", "commercial_odoo_id", "active"),
            by_proof=("name",),
        ),
        Chained(
            PRODUCT,
            subject="companies/{company}/products/{odoo_id}",
            proved=("company", "odoo_id", "sku", "name", "active"),
        ),
        Chained(
            ACCOUNT,
            subject="companies/{company}/accounts/{odoo_id}",
            proved=("company", "odoo_id", "code", "name", "type", "reconcilable", "currency", "active"),
        ),
        Chained(
            JOURNAL,
            subject="companies/{company}/journals/{odoo_id}",
            proved=(
                *("company", "odoo_id", "code", "name", "type", "currency", "default_account", "suspense_account"),
                "active",
            ),
        ),
        Chained(
            TAX_CODE,
            subject="companies/{company}/taxCodes/{odoo_id}",
            proved=(
                *("company", "odoo_id", "name", "rate", "use", "repartition_complete", "repartition_accounts"),
                *("price_included", "active"),
            ),
        ),
        Chained(
            CURRENCY,
            subject="companies/{company}/currencies/{code}",
            proved=("company", "code", "odoo_id", "active"),
        ),
        Chained(
            EXCHANGE_RATE,
            subject="companies/{company}/exchangeRates/{currency}/{day}",
            proved=("company", "currency", "day", "rate"),
        ),
        Chained(
            MAPPING_SET,
            subject="companies/{company}/mappingSets/{number}",
            proved=(
                *("company", "number", "state", "content_digest", "proposed_by", "proposed_at", "findings"),
                *("approved_by", "approved_at", "active_revision", "meant"),
            ),
            by_proof=("yaml",),
        ),
        Chained(
            SYNC_RUN,
            subject="companies/{company}/syncRuns/{id}",
            proved=(*("company", "id", "state", "started_at", "ended_at", "records", "changed", "revision", "reason"),),
        ),
        # Last: what is below a company is none.
        Chained(
            LEGAL_ENTITY,
            subject="companies/{company}",
            proved=(
                *("company", "odoo_id", "display_name", "currency", "gain_account", "loss_account", "rounds_by_line"),
                *("time_zone", "revision", "read_at"),
            ),
            children=(Child(EXTERNAL_REFERENCE, of="company", parent="company", proved=("issuer", "value", "party")),),
        ),
        Derived(TABLES.total, "masterdata counts nothing", _nothing_is_counted),
        Derived(TABLES.total_delta, "masterdata counts nothing"),
        Working(REQUEST, "first answers, for whoever asks again; what was done stands in mapping sets and sync runs"),
        Working(TABLES.outbox_reader, "how far messages were handed on"),
    ),
)
