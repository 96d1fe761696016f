"""Which of recon's rows a caller may see, as conditions of queries: those of its sources.

What a match joins must all be of them. A statement is its account's; an account whose number is no part of a resource
name is seen by those who may see every bank account.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, Table, exists, func, literal, or_, select, true

from libs.access import AccessScope
from libs.access.names import event_beginnings
from libs.storage.rows import parts
from libs.storage.scoping import begins_with, in_companies, in_sources, of_sources

from .tables import DIFFERENCE, IMPORTED_FILE, ITEM, MATCH, MATCH_MEMBER, OUTBOUND_EVENT, SETTLEMENT, STATEMENT

_FILE_NAME = literal("companies/").concat(IMPORTED_FILE.c.company).concat("/files/").concat(IMPORTED_FILE.c.sha256)


def statements_of(scope: AccessScope) -> ColumnElement[bool]:
    return in_sources(literal("bank/").concat(STATEMENT.c.bank_account), scope)


def settlements_of(scope: AccessScope) -> ColumnElement[bool]:
    return in_sources(SETTLEMENT.c.interface, scope)


def matches_of(scope: AccessScope) -> ColumnElement[bool]:
    if scope.every_source:
        return true()
    ours = exists().where(ITEM.c.posting == MATCH_MEMBER.c.posting, in_sources(ITEM.c.interface, scope))
    return ~exists().where(MATCH_MEMBER.c.match == MATCH.c.name, ~ours)


def differences_of(scope: AccessScope) -> ColumnElement[bool]:
    """By what they are about: a posting, an event, a settlement, a match, a statement, or a doubt about one."""
    if scope.every_source:
        return true()
    subject, statement = DIFFERENCE.c.subject, STATEMENT.c.name
    doubted = func.substr(subject, 1, func.length(statement) + 1) == statement.concat("/")
    return or_(
        begins_with(subject, event_beginnings(scope)),
        exists().where(ITEM.c.posting == subject, in_sources(ITEM.c.interface, scope)),
        exists().where(SETTLEMENT.c.name == subject, settlements_of(scope)),
        exists().where(MATCH.c.name == subject, matches_of(scope)),
        exists().where(
            STATEMENT.c.company == DIFFERENCE.c.company, (statement == subject) | doubted, statements_of(scope)
        ),
    )


def seen_of(connection: Connection, names: Iterable[str], scope: AccessScope) -> set[str]:
    """Those of the names whose resource is of the scope's companies and sources."""
    conditions: list[tuple[ColumnElement[str], Table, ColumnElement[bool]]] = [
        (OUTBOUND_EVENT.c.name, OUTBOUND_EVENT, of_sources(OUTBOUND_EVENT.c.name, scope)),
        (_FILE_NAME, IMPORTED_FILE, in_sources(IMPORTED_FILE.c.interface, scope)),
        (STATEMENT.c.name, STATEMENT, statements_of(scope)),
        (SETTLEMENT.c.name, SETTLEMENT, settlements_of(scope)),
        (MATCH.c.name, MATCH, matches_of(scope)),
        (DIFFERENCE.c.name, DIFFERENCE, differences_of(scope)),
    ]
    found: set[str] = set()
    for part in parts(sorted(set(names))):
        for name, table, seen in conditions:
            mine = name.in_(part) & in_companies(table.c.company, scope) & seen
            found.update(connection.scalars(select(name).where(mine)))
    return found
