"""A posting as lists give it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class ListedPosting(NamedTuple):
    """Its place in the list, and the bytes that clients get: see `services.ledger.message`."""

    created_at: datetime
    key: str
    message: bytes
