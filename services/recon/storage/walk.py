"""What recon did for a transaction, what it handed on, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, func, literal_column, select

from libs.storage.audit import AuditLog, StoredEntry
from libs.storage.leases import in_state
from libs.storage.queues import count_waiting, interface_of
from libs.storage.totals import Totals

from ..domain.match import Banked, MatchType
from ..domain.walk import ControlTotal, QueueLength, Step
from .mapping import parts
from .rows import ALIAS, IMPORTED_FILE, ITEM, MATCH, MATCH_MEMBER, OUTBOUND_EVENT, STATEMENT_LINE, TABLES


class Walk:
    """Reads across recon's tables, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def steps(self, transaction_id: str) -> tuple[str, list[Step]]:
        """The transaction that the id stands for, and its steps, oldest first."""
        alias = select(ALIAS.c.transaction_id).where(ALIAS.c.alias == transaction_id)
        meant: str = self._connection.scalar(alias) or transaction_id
        own = [*self._connection.scalars(select(ALIAS.c.alias).where(ALIAS.c.transaction_id == meant)), meant]
        log = AuditLog(self._connection, TABLES)
        entries = [entry for one in sorted(own) for entry in log.of_transaction(one)]
        seen = {one.entry.subject for one in entries}
        for match in self._matches_of(meant):
            if match not in seen:
                entries += log.of_subject(match)
        steps = self._received(own) + [_step(one) for one in entries]
        return meant, sorted(steps, key=lambda one: one.at)

    def totals(self, company: str) -> list[ControlTotal]:
        found = Totals(self._connection, TABLES).read(company=company)
        totals = [
            ControlTotal(
                key.interface, key.company, key.currency, key.day, key.bucket, one.count, one.minor_units,
                f"{one.names:064x}",
            )
            for key, one in found.items()
        ]  # fmt: skip
        return sorted(totals, key=lambda one: (one.day, one.interface, one.currency, one.bucket))

    def banked(self, payouts: Sequence[str]) -> list[Banked]:
        """Of payouts (keys) that are matched both with their transactions and with the bank."""
        live = MATCH_MEMBER.c.live == literal_column("1")
        joined = select(MATCH_MEMBER, MATCH.c.traceparent).join(MATCH, MATCH.c.name == MATCH_MEMBER.c.match).where(live)
        found = []
        for part in parts(sorted(set(payouts))):
            composed = joined.where(MATCH.c.type == MatchType.PAYOUT_TRANSACTIONS.value, MATCH.c.anchor.in_(part))
            paid_out: dict[str, set[str]] = {}
            for row in self._connection.execute(composed.add_columns(MATCH.c.anchor)):
                if row.posting != row.anchor:
                    paid_out.setdefault(row.anchor, set()).add(row.transaction_id)
            at_bank = joined.where(MATCH.c.type == MatchType.BANK_PAYOUT.value, MATCH_MEMBER.c.posting.in_(part))
            found += [
                Banked(row.posting, row.match, row.traceparent, tuple(sorted(paid_out[row.posting])))
                for row in self._connection.execute(at_bank.order_by(MATCH_MEMBER.c.posting))
                if row.posting in paid_out
            ]
        return found

    def unmatched_lines(self) -> dict[tuple[str, str], int]:
        """Open bank lines by company and interface."""
        live = (MATCH_MEMBER.c.live == literal_column("1")) & (MATCH_MEMBER.c.role == "SUS")
        matched = select(MATCH_MEMBER.c.posting).where(live)
        open_lines = (ITEM.c.side_open == literal_column("1")) & (ITEM.c.kind == literal_column("'bank_line'"))
        whose = (ITEM.c.company, ITEM.c.interface)
        statement = select(*whose, func.count()).where(open_lines, ITEM.c.posting.not_in(matched)).group_by(*whose)
        rows = self._connection.execute(statement)
        return {(company, interface): count for company, interface, count in rows}

    def queues(self, now: datetime) -> list[QueueLength]:
        """What waits, by whose it is; one query a queue, each on a partial index. A match joins several interfaces."""
        event_s = (OUTBOUND_EVENT.c.company, interface_of(self._connection, OUTBOUND_EVENT.c.name))
        waiting: dict[str, tuple[Table, ColumnElement[bool], str, Sequence[ColumnElement[str]]]] = {
            "record": (OUTBOUND_EVENT, in_state(OUTBOUND_EVENT, "waiting"), "transaction_id", event_s),
            "apply": (MATCH, in_state(MATCH, "confirmed"), "created_at", (MATCH.c.company,)),
        }
        lengths: list[QueueLength] = []
        for queue, (table, condition, since, whose) in waiting.items():
            found = count_waiting(self._connection, table, condition, table.c[since], whose)
            lengths += [
                QueueLength(queue, one.depth, max(0.0, (now - one.oldest).total_seconds()), *one.whose) for one in found
            ] or [QueueLength(queue, 0, 0.0)]
        return lengths

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
        names = [one.resource for one in steps]
        lines = select(STATEMENT_LINE.c.event, func.count()).where(STATEMENT_LINE.c.event.in_(names))
        counts = dict(map(tuple, self._connection.execute(lines.group_by(STATEMENT_LINE.c.event))))
        repeated = {name: count for name, count in counts.items() if count > 1}
        return [
            Step(one.at, one.step, one.resource, one.state, f"{one.detail}, in {repeated[one.resource]} statements")
            if one.resource in repeated
            else one
            for one in steps
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


def _step(stored: StoredEntry) -> Step:
    entry = stored.entry
    details = sorted((key, value) for key, value in entry.detail.items() if key != "why")  # words may name people
    told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in details)
    word = entry.action.lower()
    has_state = "/matches/" in entry.subject or "/differences/" in entry.subject
    state = word.partition("_")[2] if has_state else ""
    is_rule = "/matches/" in entry.subject and state in ("proposed", "confirmed") and entry.reason.islower()
    detail = f"rule {entry.reason}" if is_rule else told
    return Step(entry.at, word, entry.subject, state, detail, "" if is_rule else entry.reason)
