"""Postings that stand in Odoo, as the ledger reported them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, func, literal_column, select

from libs.storage.audit import AuditEntry, AuditLog
from libs.storage.private import proof_of
from libs.storage.repository import Repository
from libs.storage.rows import insert_rows, parts, update_rows

from ..domain.learning import BANK_ROLE, Item, ItemKind, Verdict
from .mapping import ITEMS, SERVICE
from .tables import ITEM, MATCH_MEMBER, TABLES

_LEARNED = ("side_open", "clearing_open", "receipt_open", "version", "words", "words_proof")
_OPEN = ITEM.c.side_open == literal_column("1")
_OPEN_RECEIPT = ITEM.c.receipt_open == literal_column("1")


class Items(Repository):
    """Items, within a transaction."""

    def learn(self, items: Sequence[Item]) -> int:
        """Take over what is newer than what is known; how many were."""
        newest: dict[str, Item] = {}
        for item in items:
            if item.posting not in newest or item.version >= newest[item.posting].version:
                newest[item.posting] = item
        known: dict[str, int] = {}
        for part in parts(sorted(newest)):
            wanted = ITEM.c.posting.in_(part)
            statement = select(ITEM.c.posting, ITEM.c.version).where(wanted).order_by(ITEM.c.posting)
            known.update(map(tuple, self._connection.execute(statement.with_for_update())))
        new = [_row(item) for key, item in sorted(newest.items()) if key not in known]
        insert_rows(self._connection, ITEM, new)
        later = [item for key, item in sorted(newest.items()) if key in known and item.version > known[key]]
        rows = list(map(_row, later))
        values = [(row["posting"], *(row[name] for name in _LEARNED)) for row in rows]
        update_rows(self._connection, ITEM, "posting", _LEARNED, values)
        learned = [item for key, item in sorted(newest.items()) if key not in known] + later
        entries = [
            AuditEntry(f"items/{item.posting}", "LEARNED", SERVICE, item.learned_at, item.transaction_id)
            for item in learned
        ]
        AuditLog(self._connection, TABLES).append(entries)
        return len(learned)

    def find(self, keys: Sequence[str]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for part in parts(sorted(set(keys))):
            found |= {item.posting: item for item in self._where(ITEM.c.posting.in_(part))}
        return found

    def open_side(self, company: str) -> list[Item]:
        """Bank lines, payouts and invoices that wait for a counterpart and are in no match."""
        found = []
        for kind, role in sorted(BANK_ROLE.items(), key=lambda pair: pair[0].value):
            found += self._where(_OPEN & (ITEM.c.company == company) & _kind(kind) & ~_matched(role))
        return found

    def of_transactions(self, company: str, interface: str, ids: Sequence[str]) -> dict[str, list[Item]]:
        found: dict[str, list[Item]] = {}
        of = (ITEM.c.company == company) & (ITEM.c.interface == interface)
        for part in parts(sorted(set(ids))):
            for item in self._where(of & ITEM.c.object_id.in_(part)):
                found.setdefault(item.object_id, []).append(item)
        return found

    def payouts_of(self, company: str, interface: str, payout_ids: Sequence[str]) -> dict[str, list[Item]]:
        """Payout items by the payout's id."""
        found: dict[str, list[Item]] = {}
        of = (ITEM.c.company == company) & (ITEM.c.interface == interface) & _kind(ItemKind.PAYOUT)
        for part in parts(sorted(set(payout_ids))):
            for item in self._where(of & ITEM.c.source_id.in_(part)):
                found.setdefault(item.source_id, []).append(item)
        return found

    def verdicts(self, verdicts: Sequence[Verdict]) -> int:
        """How many of them are news."""
        known = self.find([verdict.posting for verdict in verdicts])
        news = [
            (verdict.posting, verdict.reason, verdict.nearest, verdict.nearest_lacks)
            for verdict in sorted(verdicts, key=lambda verdict: verdict.posting)
            if verdict.posting in known
            and _verdict(known[verdict.posting]) != (verdict.reason, verdict.nearest, verdict.nearest_lacks)
        ]
        update_rows(self._connection, ITEM, "posting", ("verdict", "nearest", "nearest_lacks"), news)
        return len(news)

    def undecided(self, company: str) -> list[Item]:
        """Open bank lines with a verdict."""
        of = (ITEM.c.company == company) & _kind(ItemKind.BANK_LINE) & (ITEM.c.verdict != "")
        return self._where(_OPEN & of & ~_matched(BANK_ROLE[ItemKind.BANK_LINE]))

    def open_receipts(self, company: str) -> list[Item]:
        return self._where(_OPEN_RECEIPT & (ITEM.c.company == company))

    def unmatched_lines(self) -> dict[tuple[str, str], int]:
        """Open bank lines by company and interface."""
        unmatched = _OPEN & _kind(ItemKind.BANK_LINE) & ~_matched(BANK_ROLE[ItemKind.BANK_LINE])
        whose = (ITEM.c.company, ITEM.c.interface)
        rows = self._connection.execute(select(*whose, func.count()).where(unmatched).group_by(*whose))
        return {(company, interface): count for company, interface, count in rows}

    def _where(self, condition: ColumnElement[bool]) -> list[Item]:
        rows = self._connection.execute(select(ITEM).where(condition).order_by(ITEM.c.posting))
        return list(map(ITEMS.value_of, rows))


def _row(item: Item) -> dict[str, Any]:
    row = ITEMS.row_of(item)
    return row | {"words_proof": proof_of(row["words"])}


def _kind(kind: ItemKind) -> ColumnElement[bool]:
    return ITEM.c.kind == literal_column(f"'{kind.value}'")


def _matched(role: str) -> ColumnElement[bool]:
    live = (MATCH_MEMBER.c.live == literal_column("1")) & (MATCH_MEMBER.c.role == role)
    return exists().where(live, MATCH_MEMBER.c.posting == ITEM.c.posting)


def _verdict(item: Item) -> tuple[Any, ...]:
    return item.verdict, item.nearest, item.nearest_lacks
