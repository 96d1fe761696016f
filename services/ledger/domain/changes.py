"""What the ledger tells whoever watches its postings."""

from __future__ import annotations

from dataclasses import dataclass

from libs.events import Event

from .posting import Posting


@dataclass(frozen=True, slots=True)
class PostingChange:
    """A posting after one of its changes, with the event behind it. `number` orders all changes of the ledger.

    State, reasons and Odoo's answers are those of the change; document and digest those of now.
    """

    number: int
    posting: Posting
    event: Event
