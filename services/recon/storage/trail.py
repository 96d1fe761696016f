"""What recon did for a transaction, what it handed on, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select

from libs.access import AccessScope
from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.leases import in_state
from libs.storage.queues import interface_of
from libs.storage.repository import Repository
from libs.trail import ControlTotal, QueueLength, Step
from libs.trail.reading import Queue, is_step, read_lengths, read_totals, resolve, step_of

from ..domain.match import MatchType
from .seen import seen_of
from .tables import ALIAS, IMPORTED_FILE, MATCH, MATCH_MEMBER, OUTBOUND_EVENT, STATEMENT_LINE, TABLES


class ReconTrail(Repository):
    """`libs.trail.Trail` over recon's tables."""

    def steps(self, transaction_id: str, scope: AccessScope) -> tuple[str, list[Step]]:
        meant, ids = resolve(self._connection, ALIAS, transaction_id)
        log = AuditLog(self._connection, TABLES)
        stored = [entry for one_id in sorted(ids) for entry in log.of_transaction(one_id)]
        seen = {entry.entry.subject for entry in stored}
        for match in self._matches_of(meant):
            if match not in seen:
                stored += log.of_subject(match)
        steps = self._received(ids) + [_step(entry.entry) for entry in stored if is_step(entry.entry)]
        if not scope.is_everything:
            known = seen_of(self._connection, [step.resource for step in steps], scope)
            steps = [step for step in steps if step.resource in known]
            meant = meant if steps else transaction_id
        return meant, sorted(steps, key=lambda step: step.at)

    def totals(self, company: str, scope: AccessScope) -> list[ControlTotal]:
        return read_totals(self._connection, TABLES, company, scope)

    def queues(self, now: datetime) -> list[QueueLength]:
        """Each on a partial index. A match joins several interfaces."""
        event = OUTBOUND_EVENT.c
        event_s = (event.company, interface_of(self._connection, event.name))
        queues = [
            Queue("record", OUTBOUND_EVENT, in_state(OUTBOUND_EVENT, "waiting"), event.transaction_id, event_s),
            Queue("apply", MATCH, in_state(MATCH, "confirmed"), MATCH.c.created_at, (MATCH.c.company,)),
        ]
        return read_lengths(self._connection, queues, now)

    def _received(self, transactions: Sequence[str]) -> list[Step]:
        """When each event came in, and in which statements it stands."""
        file, event = IMPORTED_FILE.c, OUTBOUND_EVENT.c
        joined = select(event.name, file.imported_at, file.kind).join(
            IMPORTED_FILE, (file.transaction_id == event.origin) & (file.company == event.company)
        )
        steps = [
            Step(row.imported_at, "received", row.name, "", f"{row.kind} file")
            for row in self._connection.execute(joined.where(event.transaction_id.in_(transactions)))
        ]
        names = [step.resource for step in steps]
        lines = select(STATEMENT_LINE.c.event, func.count()).where(STATEMENT_LINE.c.event.in_(names))
        counts = dict(map(tuple, self._connection.execute(lines.group_by(STATEMENT_LINE.c.event))))
        repeated = {name: count for name, count in counts.items() if count > 1}
        return [
            Step(
                step.at, step.step, step.resource, step.state, f"{step.detail}, in {repeated[step.resource]} statements"
            )
            if step.resource in repeated
            else step
            for step in steps
        ]

    def _matches_of(self, transaction_id: str) -> list[str]:
        """The matches that join the transaction, and those of the payouts with the bank that pay it out."""
        mine = select(MATCH_MEMBER.c.match).where(MATCH_MEMBER.c.transaction_id == transaction_id)
        direct = set(self._connection.scalars(mine))
        composed = select(MATCH.c.anchor).where(
            MATCH.c.name.in_(sorted(direct)), MATCH.c.type == MatchType.PAYOUT_TRANSACTIONS.value
        )
        paid = select(MATCH_MEMBER.c.match).where(MATCH_MEMBER.c.posting.in_(composed), MATCH_MEMBER.c.role == "TRN")
        return sorted(direct | set(self._connection.scalars(paid)))


def _step(entry: AuditEntry) -> Step:
    is_match = "/matches/" in entry.subject
    state = entry.action.lower().partition("_")[2] if is_match or "/differences/" in entry.subject else ""
    step = step_of(entry, state)
    if is_match and entry.reason.islower():
        return replace(step, detail=f"rule {entry.reason}", reason="")
    return step
