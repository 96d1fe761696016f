"""How statements, settlements, matches and differences are named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def statement_name(company: str, sha256: str, index: int) -> str:
    """`companies/{company}/statements/{statement}`: banks number statements anew each year, so the file's digest."""
    return f"companies/{company}/statements/{sha256[:32]}-{index}"


def settlement_name(company: str, payout_id: str) -> str:
    """`companies/{company}/settlements/{settlement}`"""
    return f"companies/{company}/settlements/{payout_id}"


def match_name(company: str, words: Iterable[str]) -> str:
    """`companies/{company}/matches/{match}`: the same sides always give the same name."""
    return f"companies/{company}/matches/{_short_digest(words)}"


def difference_name(company: str, subject: str) -> str:
    """`companies/{company}/differences/{difference}`: a subject has one difference at most."""
    return f"companies/{company}/differences/{_short_digest([subject])}"


def _short_digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]
