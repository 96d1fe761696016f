"""The chain of an account's statements: each begins with the balance that the one before it ended with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from libs.money import Money

from .difference import Cause

STATEMENT_MISSING = "STATEMENT_MISSING"
_LINK = "/before"


@dataclass(frozen=True, slots=True)
class StatementSpan:
    """The days of a statement's booked lines, and the number that the bank gave it."""

    statement: str
    number: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A statement in its account's chain, with both balances stated."""

    span: StatementSpan
    bank_account: str
    opening: Money
    closing: Money
    imported_at: datetime
    transaction_id: str

    @property
    def place(self) -> tuple[date, date, int, datetime, str]:
        """In the chain."""
        number = int(self.span.number) if self.span.number.isascii() and self.span.number.isdigit() else 0
        return self.span.first_day, self.span.last_day, number, self.imported_at, self.span.statement


def missing_statements(links: Iterable[Link]) -> Iterator[tuple[datetime, Cause]]:
    """Since when, and why: one for each statement that begins with a balance which none before it ended with."""
    accounts: dict[tuple[str, str], list[Link]] = {}
    for link in links:
        accounts.setdefault((link.bank_account, link.opening.currency), []).append(link)
    for account in accounts.values():
        for before, after in _gaps(sorted(account, key=lambda link: link.place)):
            yield after.imported_at, _cause(before, after)


def link_subject(statement: str) -> str:
    """The subject of a difference about what comes before the statement."""
    return f"{statement}{_LINK}"


def statement_of_link(subject: str) -> str:
    """The statement of such a subject; empty for another subject."""
    return subject.removesuffix(_LINK) if subject.endswith(_LINK) and "/statements/" in subject else ""


def _gaps(account: list[Link]) -> Iterator[tuple[Link, Link]]:
    """The statement before and the one after each gap, of one account in order.

    What begins within another statement's days proves nothing: it is a part of the other, or the other of it.
    """
    ended: dict[Money, list[Link]] = {}
    for link in account:
        ended.setdefault(link.closing, []).append(link)
    last: Link | None = None
    for link in account:
        first_day = link.span.first_day
        is_linked = any(
            before.span.last_day <= first_day and before is not link for before in ended.get(link.opening, ())
        )
        if last is not None and last.span.last_day < first_day and not is_linked:
            yield last, link
        if last is None or last.span.last_day <= link.span.last_day:
            last = link


def _cause(before: Link, after: Link) -> Cause:
    numbers = f" (number {before.span.number})" if before.span.number else ""
    message = (
        f"a statement is missing: the one before{numbers} ends with {before.closing} on {before.span.last_day}, "
        f"this one begins with {after.opening}; ask the bank for {before.span.last_day} to {after.span.first_day}"
    )
    return Cause(
        subject=link_subject(after.span.statement),
        transaction_id=after.transaction_id,
        reason=STATEMENT_MISSING,
        message=message,
        amount=after.opening - before.closing,
        nearest=before.span.statement,
        nearest_lacks="opening_balance",
    )
