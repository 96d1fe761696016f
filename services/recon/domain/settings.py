"""What a company's operator may tune."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """`companies` are watched from the start; others once something of theirs was imported."""

    companies: tuple[str, ...] = ()
    # How long something may lack its counterpart before it is a difference.
    evidence_wait_seconds: float = 3600.0
    apply_poll_seconds: float = 1.0  # how often a match that the ledger has not written yet is asked for
    stuck_poll_seconds: float = 3600.0  # how often one that it could not write
    settlement_zone: str = "UTC"  # of the report columns that name no zone
