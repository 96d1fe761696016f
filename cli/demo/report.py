"""The day's end for a finance person: what was posted, matched and doubted, and whether it adds up."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from typing import Any

from concord.ledger.v1 import posting_pb2
from concord.recon.v1 import match_pb2
from rich.console import Console, JustifyMethod
from rich.table import Table

from cli.connection import word
from libs.money import Money

from .findings import Findings, Totals
from .words import ROLES, Words, effect_of, money

_P, _M = posting_pb2.Posting, match_pb2.Match
WIDE = 120  # a terminal with fewer columns gets several lines in a cell
ID_CHARACTERS = 32
SHOWN_AT_ZERO = ("CLR", "SUS", "TRN", "UNX")  # where a close looks first


def print_report(console: Console, findings: Findings, provider_balance: Decimal) -> None:
    """Everything, in the order in which a month-end asks for it."""
    words = Words(findings.postings, findings.events, findings.matches)
    narrow = console.width < WIDE
    console.print(_documents(findings, words, narrow=narrow))
    console.print(_differences(findings, words, narrow=narrow))
    console.print(_trial_balance(findings))
    for control in findings.controls(provider_balance):
        left, right = f"{control.books:.2f}", f"{control.elsewhere:.2f}"
        console.print(f"{control.account} {left} = {control.other} {right} USD: {_yes(control.holds)}", highlight=False)
    console.print(_completeness(findings))
    latencies = findings.latencies()
    if latencies:
        console.print(
            f"From webhook or file to posted in Odoo: median {findings.median_latency():.1f} s, slowest "
            f"{latencies[-1]:.1f} s (Odoo was away in between), {len(latencies)} documents.",
            highlight=False,
        )


def as_json(findings: Findings, provider_balance: Decimal) -> dict[str, Any]:
    """The same as one JSON object; amounts are decimal strings."""
    return {
        "documents": [
            {
                "transaction_id": posting.transaction_id,
                "event": posting.event,
                "effect": effect_of(posting),
                "state": _state(posting),
                "odoo_number": posting.odoo_number,
                "date": posting.posted_date,
                "reconciliation": _reconciliation(posting),
            }
            for posting in findings.postings
        ],
        "matches": [
            {"name": found.name, "rule": found.certificate.rule, "state": _M.State.Name(found.state)}
            for found in findings.matches
        ],
        "differences": [
            {
                "subject": difference.subject,
                "reason": difference.reason,
                "amount": money(difference.amount),
                "nearest": difference.nearest,
            }
            for difference in findings.differences
        ],
        "exceptions": [{"subject": exception.subject, "reason": exception.reason} for exception in findings.exceptions],
        "trial_balance": {role: str(amount) for role, amount in findings.balance.items()},
        "expected": {role: str(amount) for role, amount in findings.expected.items()},
        "books_agree": findings.books_agree,
        "complete": findings.is_complete,
        "buckets": dict(findings.buckets),
        "provider_balance": str(provider_balance),
        "controls": [
            {
                "account": control.account,
                "books": str(control.books),
                "elsewhere": str(control.elsewhere),
                "holds": control.holds,
            }
            for control in findings.controls(provider_balance)
        ],
        "latency_seconds": {"median": findings.median_latency(), "max": max(findings.latencies(), default=0.0)},
    }


def _table(title: str, columns: tuple[str, ...], *, right: set[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        table.add_column(column, overflow="fold", justify=justify, no_wrap=column == "transaction")
    return table


def _documents(findings: Findings, words: Words, *, narrow: bool) -> Table:
    columns = ("transaction", "what", "date", "Odoo document", "amount", "matched with")
    table = _table(
        "Transactions", ("transaction", "Odoo document", "matched with") if narrow else columns, right={"amount"}
    )
    for posting in sorted(findings.postings, key=words.when):
        what, number, total = words.what(posting), posting.odoo_number or _state(posting), words.total(posting)
        if narrow:
            document = f"{number}\n{posting.posted_date}\n{total}"
            table.add_row(
                f"{_folded(what)}\n{posting.transaction_id}", document, words.matched(posting), end_section=True
            )
        else:
            table.add_row(posting.transaction_id, what, posting.posted_date, number, total, words.matched(posting))
    return table


def _differences(findings: Findings, words: Words, *, narrow: bool) -> Table:
    columns = ("transaction", "reason", "amount", "owner", "what", "nearest candidate")
    title = "Differences and exceptions: each with its reason and owner"
    table = _table(title, ("transaction", "amount", "what") if narrow else columns, right={"amount"})
    rows = [
        (
            difference.transaction_id,
            difference.reason,
            money(difference.amount),
            difference.owner,
            difference.message,
            f"{words.number(difference.nearest)}: {difference.nearest_lacks}" if difference.nearest else "none",
        )
        for difference in findings.differences
    ]  # fmt: skip
    rows += [
        (case.transaction_id, case.reason, money(case.amount_at_risk), case.owner, case.message, "")
        for case in findings.exceptions
    ]
    for transaction, reason, amount, owner, what, nearest in rows:
        if narrow:
            text = f"{what}; owner: {owner}; nearest candidate: {nearest or 'none'}"
            table.add_row(f"{reason}\n{transaction}", amount, text, end_section=True)
        else:
            table.add_row(transaction, reason, amount, owner, what, nearest)
    return table


def _folded(words: str) -> str:
    """No wider than an id, which stays on one line so that it can be copied."""
    return textwrap.fill(words, ID_CHARACTERS)


def _trial_balance(findings: Findings) -> Table:
    agree = _yes(findings.books_agree)
    title = f"Trial balance in USD, Odoo's against a count from the partners' files alone: {agree}"
    table = _table(
        title, ("account", "debit", "credit", "counted (credit −)"), right={"debit", "credit", "counted (credit −)"}
    )
    debit_sum = credit_sum = Decimal(0)
    for role in sorted({*findings.balance, *findings.expected, *SHOWN_AT_ZERO}):
        amount = findings.balance.get(role, Decimal(0))
        debit, credit = max(amount, Decimal(0)), max(-amount, Decimal(0))
        debit_sum, credit_sum = debit_sum + debit, credit_sum + credit
        counted = findings.expected.get(role, Decimal(0))
        name = f"{role} {ROLES.get(role, '')}"
        shown = f"{debit:.2f}" if debit or not credit else ""
        table.add_row(name, shown, f"{credit:.2f}" if credit else "", f"{counted:.2f}")
    table.add_section()
    table.add_row("Total", f"{debit_sum:.2f}", f"{credit_sum:.2f}", "")
    return table


def _completeness(findings: Findings) -> Table:
    """Handed on by the edge, bucket by bucket of what the ledger made of it, in count and money."""
    buckets = list(findings.buckets)
    parts = [bucket.replace("_", " ") for bucket in buckets]
    title = (
        f"Completeness: handed on by the edge = {' + '.join(parts) or 'nothing'} in the ledger, events · money: "
        f"{_yes(findings.is_complete)}\n'no effect' is evidence of money that another message posts; "
        "money is gross, signed as its source signs it"
    )
    columns = ("interface", "currency", "handed on", *parts, "agree")
    table = _table(title, columns, right={"handed on", *parts})
    for key in sorted(findings.handed_on.keys() | findings.accounted.keys()):
        interface, currency = key
        sides = [findings.handed_on, *(findings.by_bucket[bucket] for bucket in buckets)]
        cells = [
            f"{count} · {Money(currency, units).decimal()}" for count, units, _ in (_at(side, key) for side in sides)
        ]
        agree = _at(findings.handed_on, key) == _at(findings.accounted, key)
        table.add_row(interface, currency, *cells, _yes(agree))
    return table


def _at(totals: Totals, key: tuple[str, str]) -> tuple[int, int, int]:
    return totals.get(key, (0, 0, 0))


def _state(posting: posting_pb2.Posting) -> str:
    return word(_P.State, posting.state)


def _reconciliation(posting: posting_pb2.Posting) -> str:
    found = word(_P.Reconciliation, posting.reconciliation)
    return {"full": "closed", "partial": f"open: {', '.join(posting.open_roles)}"}.get(found, "")


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"
