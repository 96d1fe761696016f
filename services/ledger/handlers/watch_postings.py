"""Every change of a company's postings, in one order for all watchers, without end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from libs.access import AccessScope

from ..domain.changes import PostingChange
from ..storage.uow import NewUow

READ_AT_ONCE = 200


def watch_postings(
    company: str,
    transaction_id: str,
    after: int,
    scope: AccessScope,
    new_uow: NewUow,
    *,
    may_go_on: Callable[[], bool],
    wait: Callable[[], None],
) -> Iterator[PostingChange]:
    """Changes of the scope's sources after the number `after`; no change is skipped, none comes twice.

    `wait` returns when there may be more, or after a while; the stream ends when `may_go_on` says so. An empty
    transaction id lets every change through.
    """
    while may_go_on():
        with new_uow(read_only=True) as uow:
            # Of one moment: whatever is numbered up to `last` and concerns this company is among the changes.
            last = uow.changes.last_number()
            changes = uow.changes.after(company, scope, after, READ_AT_ONCE)
        for change in changes:
            if not transaction_id or change.posting.transaction_id == transaction_id:
                yield change
            after = change.number
        if len(changes) < READ_AT_ONCE:
            after = max(after, last)
            wait()
