"""Whether claimed postings stand as their audit entries say: what was changed past the ledger is not posted."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from libs.storage.audit import row_digests
from libs.storage.verification import Link, chains_of

from ..domain.case import Doubt
from ..domain.posting import Posting, is_maker
from ..domain.states import PostingState
from .proofs import PROOFS

_CHANGED = Doubt(
    "CONTENT_CHANGED", "the stored posting is not the one of its last audit entry; find out who changed it"
)
_UNAPPROVED = Doubt("APPROVAL_MISSING", "it needs an approval of just this content, and no audit entry bears one")


def doubts_of(connection: Connection, postings: Sequence[Posting]) -> dict[str, Doubt]:
    """By key, of those that must not be posted: an approval counts by its audit entry, never by a column."""
    names = [posting.name for posting in postings]
    chains = chains_of(connection, names)
    digests = row_digests(connection, PROOFS, names)
    doubts: dict[str, Doubt] = {}
    for posting in postings:
        chain = chains.get(posting.name)
        # A release that knew no digests may still have written the last entry: see ADR 0021.
        if chain is None or chain.row_digest not in ("", digests.get(posting.name)):
            doubts[posting.key] = _CHANGED
        elif not _is_approved(posting, chain.links):
            doubts[posting.key] = _UNAPPROVED
    return doubts


def _is_approved(posting: Posting, links: Sequence[Link]) -> bool:
    """Whether it needed no approval since it was last built, or somebody else than its makers signed its content."""
    built = max((place for place, link in enumerate(links) if link.action == PostingState.VALIDATED.name), default=0)
    since = links[built:]
    if not any(link.action == PostingState.AWAITING_APPROVAL.name for link in since):
        return True
    return any(
        link.action == PostingState.APPROVED.name
        and link.content_digest == posting.content_digest
        and not is_maker(posting, link.actor)
        for link in since
    )
