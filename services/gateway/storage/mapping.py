"""Rows to domain values and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from libs.storage.leases import Lease

from ..domain.fact import Claim


def claim_of(row: Row[Any]) -> Claim:
    return Claim(row.fence, row.lease_owner, row.lease_until)


def lease(key: str, claim: Claim | None) -> Lease:
    assert claim is not None, "only a claimed row is finished"
    return Lease(key, claim.fence, claim.owner, claim.until)
