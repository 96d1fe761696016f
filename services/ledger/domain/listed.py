"""A posting as lists give it: its row's columns, and the bytes of what seldom changes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from .posting import Posting


class ListedPosting(NamedTuple):
    """Named as the columns are; states are their stored words.

    `built_message` is what changes only when the document is built anew: see `services.ledger.message`.
    """

    key: str
    created_at: datetime
    built_message: bytes
    state: str
    reconciliation: str
    odoo_id: int
    odoo_model: str
    odoo_number: str
    posted_date: str
    posted_at: datetime | None
    reason: str
    reason_text: str
    tries: int
    parked: int
    updated_at: datetime
    version: int
    approved_by: str
    open_roles: str

    @classmethod
    def of(cls, posting: Posting, built_message: bytes) -> ListedPosting:
        """The same of a posting that was read whole."""
        values = {name: getattr(posting, name) for name in cls._fields if name != "built_message"}
        values["state"], values["reconciliation"] = posting.state.value, posting.reconciliation.value
        return cls(built_message=built_message, **values)
