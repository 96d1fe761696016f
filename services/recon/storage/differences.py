"""What remains, and how far a company's books are known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update

from libs.access import EVERYTHING, AccessScope
from libs.listing import After, ListPart
from libs.storage.audit import NOTED, AuditEntry, AuditLog
from libs.storage.leases import in_state
from libs.storage.outbox import Message, Outbox
from libs.storage.repository import Repository
from libs.storage.rows import insert_new, insert_rows, parts

from ..domain.difference import Difference, DifferenceState, check_difference
from ..domain.errors import DifferenceChanged, DifferenceUnknown
from ..domain.progress import Progress
from .mapping import DIFFERENCES, SERVICE, oldest_first
from .seen import differences_of
from .tables import DIFFERENCE, PROGRESS, TABLES

_LIVE = in_state(DIFFERENCE, DifferenceState.OPEN.value, DifferenceState.ASSIGNED.value)


class Differences(Repository):
    """Differences, within a transaction."""

    def get(self, name: str, scope: AccessScope = EVERYTHING) -> Difference:
        """Raises `DifferenceUnknown`."""
        found = self._where((DIFFERENCE.c.name == name) & differences_of(scope))
        if not found:
            raise DifferenceUnknown("no such difference", field="name")
        return found[0]

    def live(self, company: str) -> list[Difference]:
        """Neither resolved nor written off."""
        return self._where(_LIVE & (DIFFERENCE.c.company == company))

    def find(self, names: Sequence[str]) -> dict[str, Difference]:
        found: dict[str, Difference] = {}
        for part in parts(sorted(set(names))):
            found |= {difference.name: difference for difference in self._where(DIFFERENCE.c.name.in_(part))}
        return found

    def about(self, company: str, statements: Sequence[str]) -> list[Difference]:
        """Live ones that doubt one of the statements, or a line of it."""
        found: list[Difference] = []
        for statement in statements:
            doubts = DIFFERENCE.c.subject.startswith(f"{statement}/", autoescape=True)
            found += self._where(_LIVE & (DIFFERENCE.c.company == company) & doubts)
        return found

    def page(
        self,
        company: str,
        state: DifferenceState | None,
        size: int,
        after: After | None,
        scope: AccessScope = EVERYTHING,
    ) -> ListPart[Difference]:
        """Oldest first."""
        condition = (DIFFERENCE.c.company == company) & differences_of(scope)
        if state is not None:
            condition &= DIFFERENCE.c.state == state.value
        part = oldest_first(self._connection, DIFFERENCE, DIFFERENCE.c.created_at, condition, size, after)
        return ListPart(list(map(DIFFERENCES.value_of, part.items)), part.after)

    def save(self, company: str, changes: Sequence[tuple[Difference | None, Difference]], actor: str) -> None:
        """(before, after) each, guarded by the version before. Raises `DifferenceChanged`, `TransitionForbidden`."""
        new = [{"company": company, **DIFFERENCES.row_of(after)} for before, after in changes if before is None]
        insert_rows(self._connection, DIFFERENCE, new)
        for before, after in changes:
            if before is None:
                continue
            if before.state is not after.state:
                check_difference(before.state, after.state)
            guard = (DIFFERENCE.c.name == before.name) & (DIFFERENCE.c.version == before.version)
            changed = self._connection.execute(update(DIFFERENCE).where(guard).values(DIFFERENCES.row_of(after)))
            if changed.rowcount != 1:
                raise DifferenceChanged("the difference was changed meanwhile; read it again", field="etag")
        news = [(before, after) for before, after in changes if _is_news(before, after, actor)]
        entries = [
            _entry(before, after, actor) if _is_news(before, after, actor) else _noted(after, actor)
            for before, after in changes
        ]
        AuditLog(self._connection, TABLES).append(entries)
        if news:
            Outbox(self._connection, TABLES).add([_message(company, after) for _, after in news])

    def _where(self, condition: ColumnElement[bool]) -> list[Difference]:
        statement = select(DIFFERENCE).where(condition).order_by(DIFFERENCE.c.created_at, DIFFERENCE.c.name)
        return list(map(DIFFERENCES.value_of, self._connection.execute(statement)))


class ProgressRows(Repository):
    """How far each company's books are known, within a transaction."""

    def ensure(self, companies: Iterable[str]) -> None:
        begun = {"token": "", "changes": 1, "matched": 0, "differenced": 0}
        rows = [{"company": company, **begun} for company in sorted(set(companies))]
        insert_new(self._connection, PROGRESS, rows, ["company"])

    def companies(self) -> list[str]:
        return list(self._connection.scalars(select(PROGRESS.c.company).order_by(PROGRESS.c.company)))

    def all(self) -> list[Progress]:
        """By company."""
        return [
            Progress(**row._mapping) for row in self._connection.execute(select(PROGRESS).order_by(PROGRESS.c.company))
        ]

    def get(self, company: str) -> Progress:
        row = self._connection.execute(select(PROGRESS).where(PROGRESS.c.company == company)).one()
        return Progress(**row._mapping)

    def news(self, company: str) -> None:
        """Something changed: there may be more to match."""
        self.ensure([company])
        self._set(company, {"changes": PROGRESS.c.changes + 1})

    def learned(self, company: str, token: str, new_token: str) -> bool:
        """Move on; false where another worker did."""
        statement = update(PROGRESS).where(PROGRESS.c.company == company, PROGRESS.c.token == token)
        return self._connection.execute(statement.values(token=new_token)).rowcount == 1

    def matched(self, company: str, changes: int) -> None:
        self._set(company, {"matched": changes})

    def differenced(self, company: str, changes: int, due_at: datetime | None) -> None:
        self._set(company, {"differenced": changes, "due_at": due_at})

    def _set(self, company: str, values: dict[str, Any]) -> None:
        self._connection.execute(update(PROGRESS).where(PROGRESS.c.company == company).values(values))


def _is_news(before: Difference | None, after: Difference, actor: str) -> bool:
    if before is None or actor != SERVICE:
        return True
    return (before.state, before.proposed_by) != (after.state, after.proposed_by)


def _entry(before: Difference | None, difference: Difference, actor: str) -> AuditEntry:
    action = f"DIFFERENCE_{difference.state.name}"
    if before is not None and before.state is difference.state and before.proposed_by != difference.proposed_by:
        # A worker takes a proposal back where what it was about has changed.
        word = "PROPOSED" if difference.proposed_by else "VOIDED" if actor == SERVICE else "REJECTED"
        action = f"DIFFERENCE_WRITE_OFF_{word}"
    detail = {"why": difference.why} if difference.why and actor != SERVICE else {}
    return AuditEntry(
        difference.name,
        action,
        actor,
        difference.updated_at,
        difference.transaction_id,
        reason=difference.reason,
        detail=detail,
    )


def _noted(difference: Difference, actor: str) -> AuditEntry:
    """Of a change that is no news to anybody."""
    return AuditEntry(difference.name, NOTED, actor, difference.updated_at, difference.transaction_id)


def _message(company: str, difference: Difference) -> Message:
    body = {
        "difference": difference.name,
        "state": difference.state.value,
        "reason": difference.reason,
        "subject": difference.subject,
    }
    return Message(
        id=hashlib.sha256(f"{difference.name}\n{difference.version}".encode()).hexdigest(),
        topic=f"recon.differences.{company}"[:128],
        key=difference.name,
        transaction_id=difference.transaction_id,
        payload=json.dumps(body).encode(),
        at=difference.updated_at,
    )
