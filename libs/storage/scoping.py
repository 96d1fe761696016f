"""What a caller may see, as conditions of a query. All compare exactly; a scope of everything adds no condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, true

from libs.access import EVERY, AccessScope
from libs.access.names import event_beginnings, posting_beginnings


def in_companies(company: ColumnElement[Any], scope: AccessScope) -> ColumnElement[bool]:
    """Of the rows whose column names a company by its id."""
    return true() if scope.every_company else company.in_(sorted(scope.companies))


def in_sources(interface: ColumnElement[Any], scope: AccessScope) -> ColumnElement[bool]:
    """Of the rows whose column names a source, `{provider}/{account}`."""
    if scope.every_source:
        return true()
    whole = [source.removesuffix(EVERY) for source in sorted(scope.sources) if source.endswith(f"/{EVERY}")]
    named = sorted(source for source in scope.sources if not source.endswith(f"/{EVERY}"))
    return or_(interface.in_(named), begins_with(interface, whole))


def of_sources(name: ColumnElement[Any], scope: AccessScope) -> ColumnElement[bool]:
    """Of the rows whose column names an event or a delivery, `sources/{provider}/accounts/{account}/…`."""
    return true() if scope.every_source else begins_with(name, event_beginnings(scope))


def keyed_by_sources(key: ColumnElement[Any], company: str, scope: AccessScope) -> ColumnElement[bool]:
    """Of the rows whose column is the key of one of the company's postings."""
    return true() if scope.every_source else begins_with(key, posting_beginnings(scope, company))


def begins_with(column: ColumnElement[Any], beginnings: Sequence[str]) -> ColumnElement[bool]:
    """Compared letter by letter: LIKE does not tell `a` from `A` everywhere."""
    return or_(false(), *(func.substr(column, 1, len(text)) == text for text in beginnings))
