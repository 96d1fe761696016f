"""Stories in which something was posted since they were last reconciled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from ..domain.posting import Posting
from .mapping import to_posting
from .tables import POSTING

_DUE = POSTING.c.reconcile_at.is_not(None)


class StoryQueue:
    """The queue of stories to reconcile, within a transaction.

    A posting names its story until the reconciling of just this posting is done, so what is posted in the meantime
    keeps its own turn. The instant until which a worker has put a story off is its claim: whoever takes the story over
    puts it off anew. Two workers on one story do no harm in Odoo, where each begins by reading; here the later counts.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Company and label of the stories whose turn it is, oldest first."""
        statement = select(POSTING.c.company, POSTING.c.ar_group).where(_DUE, POSTING.c.reconcile_at <= now)
        ordered = statement.order_by(POSTING.c.reconcile_at, POSTING.c.key).limit(limit)
        return list(dict.fromkeys((row.company, row.ar_group) for row in self._connection.execute(ordered)))

    def take(self, company: str, labels: Sequence[str], now: datetime, until: datetime) -> list[str]:
        """Put stories off until then, as a claim; those whose turn it still is, once whoever was at it is done."""
        mine = (POSTING.c.company == company) & POSTING.c.ar_group.in_(labels)
        statement = select(POSTING.c.key, POSTING.c.ar_group).where(_DUE, mine, POSTING.c.reconcile_at <= now)
        locked = self._connection.execute(statement.order_by(POSTING.c.key).with_for_update()).all()
        found = {row.ar_group for row in locked}
        taken = [label for label in labels if label in found]
        for label in taken:
            self.postpone(company, label, until)
        return taken

    def renew(self, company: str, labels: Sequence[str], until: datetime, anew: datetime) -> set[str]:
        """Put off anew what is put off until then, and nothing that came since; the stories that still were."""
        mine = (POSTING.c.company == company) & POSTING.c.ar_group.in_(labels) & (POSTING.c.reconcile_at == until)
        statement = select(POSTING.c.key, POSTING.c.ar_group).where(mine)
        held = self._connection.execute(statement.order_by(POSTING.c.key).with_for_update()).all()
        self._connection.execute(update(POSTING).where(mine).values(reconcile_at=anew))
        return {row.ar_group for row in held}

    def postpone(self, company: str, label: str, at: datetime) -> None:
        """Not before `at`: while a worker is on it, or after a technical failure."""
        mine = (POSTING.c.company == company) & (POSTING.c.ar_group == label)
        self._connection.execute(update(POSTING).where(_DUE, mine).values(reconcile_at=at))

    def is_held(self, company: str, label: str, until: datetime) -> bool:
        """Whether the story is still put off until then, by us; it stays so until the transaction ends."""
        mine = (POSTING.c.company == company) & (POSTING.c.ar_group == label) & (POSTING.c.reconcile_at == until)
        statement = select(POSTING.c.key).where(mine).order_by(POSTING.c.key).with_for_update()
        return bool(self._connection.scalars(statement).all())

    def done(self, keys: Sequence[str], until: datetime) -> None:
        mine = POSTING.c.key.in_(keys) & (POSTING.c.reconcile_at == until)
        self._connection.execute(update(POSTING).where(mine).values(reconcile_at=None))

    def posted(self, company: str, label: str) -> list[Posting]:
        """The story's posted postings, oldest first."""
        mine = (POSTING.c.company == company) & (POSTING.c.ar_group == label) & (POSTING.c.state == "posted")
        rows = self._connection.execute(select(POSTING).where(mine).order_by(POSTING.c.created_at, POSTING.c.key))
        return [to_posting(row) for row in rows]
