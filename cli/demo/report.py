"""The day's end for a finance person: what was posted, matched and doubted, and whether it adds up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from concord.events.v1 import event_pb2, provenance_pb2
from concord.ledger.v1 import posting_pb2
from concord.money.v1 import money_pb2
from concord.recon.v1 import match_pb2
from rich.console import Console, JustifyMethod
from rich.table import Table

from libs.money import Money

from .findings import Findings

_P, _M = posting_pb2.Posting, match_pb2.Match
_NAMES = {
    "AR": "Accounts receivable", "BANK": "Bank", "CBL": "Chargeback losses", "CLR": "Provider clearing",
    "DFE": "Dispute fees", "DSP": "Disputed payments", "FEE": "Provider fees", "FXD": "Exchange differences",
    "RET": "Sales returns", "REV": "Sales", "SUS": "Bank suspense", "TAX": "Sales tax", "TRN": "Payouts in transit",
}  # fmt: skip


def print_report(console: Console, findings: Findings, provider_balance: Decimal) -> None:
    """Everything, in the order in which a month-end asks for it."""
    console.print(_documents(findings))
    console.print(_differences(findings))
    console.print(_trial_balance(findings))
    console.print(_completeness(findings))
    clearing = findings.balance.get("CLR", Decimal(0))
    agree = _yes(clearing == provider_balance)
    console.print(f"Clearing {clearing:.2f} USD, the provider's own balance {provider_balance:.2f} USD: {agree}")
    latencies = findings.latencies()
    if latencies:
        console.print(
            f"From webhook to posted: median {findings.median_latency():.1f} s, slowest {latencies[-1]:.1f} s"
            f" (Odoo was away in between), {len(latencies)} documents."
        )


def as_json(findings: Findings, provider_balance: Decimal) -> dict[str, Any]:
    """The same as one JSON object; amounts are decimal strings."""
    return {
        "documents": [
            {
                "transaction_id": one.transaction_id,
                "event": one.event,
                "effect": one.name.rpartition("_")[2],
                "state": _state(one),
                "odoo_number": one.odoo_number,
                "date": one.posted_date,
                "reconciliation": _reconciliation(one),
            }
            for one in findings.postings
        ],
        "matches": [
            {"name": one.name, "rule": one.certificate.rule, "state": _M.State.Name(one.state)}
            for one in findings.matches
        ],
        "differences": [
            {"subject": one.subject, "reason": one.reason, "amount": _money(one.amount), "nearest": one.nearest}
            for one in findings.differences
        ],
        "exceptions": [{"subject": one.subject, "reason": one.reason} for one in findings.exceptions],
        "trial_balance": {role: str(amount) for role, amount in findings.balance.items()},
        "expected": {role: str(amount) for role, amount in findings.expected.items()},
        "books_agree": findings.books_agree,
        "complete": findings.is_complete,
        "buckets": dict(findings.buckets),
        "provider_balance": str(provider_balance),
        "latency_seconds": {"median": findings.median_latency(), "max": max(findings.latencies(), default=0.0)},
    }


def _documents(findings: Findings) -> Table:
    table = Table(title="Transactions", title_justify="left")
    for column in ("transaction", "what", "date", "Odoo document", "amount", "matched by"):
        justify: JustifyMethod = "right" if column == "amount" else "left"
        table.add_column(column, overflow="fold", justify=justify, no_wrap=column == "transaction")
    matched = _matched(findings)
    for one in sorted(findings.postings, key=lambda one: (one.transaction_id, one.name)):
        event = findings.events.get(one.event)
        words = f"{_words(event)} · {one.name.rpartition('_')[2]}" if event else one.name
        by = matched.get(one.name.rpartition("/")[2]) or _reconciliation(one)
        table.add_row(one.transaction_id, words, one.posted_date, one.odoo_number or _state(one), _total(one), by)
    return table


def _differences(findings: Findings) -> Table:
    table = Table(title="Differences and exceptions: each with its reason and owner", title_justify="left")
    for column in ("transaction", "reason", "amount", "owner", "what"):
        justify: JustifyMethod = "right" if column == "amount" else "left"
        table.add_column(column, overflow="fold", justify=justify, no_wrap=column == "transaction")
    for one in findings.differences:
        table.add_row(one.transaction_id, one.reason, _money(one.amount), one.owner, one.message)
    for case in findings.exceptions:
        table.add_row(case.transaction_id, case.reason, _money(case.amount_at_risk), case.owner, case.message)
    return table


def _trial_balance(findings: Findings) -> Table:
    agree = _yes(findings.books_agree)
    table = Table(
        title=f"Trial balance in Odoo, against a count from the partners' files alone: {agree}", title_justify="left"
    )
    for column in ("account", "debit", "credit", "counted"):
        table.add_column(column, justify="left" if column == "account" else "right")
    debit_sum = credit_sum = Decimal(0)
    for role in sorted(findings.balance.keys() | findings.expected.keys()):
        amount = findings.balance.get(role, Decimal(0))
        debit, credit = max(amount, Decimal(0)), max(-amount, Decimal(0))
        debit_sum, credit_sum = debit_sum + debit, credit_sum + credit
        counted = findings.expected.get(role, Decimal(0))
        name = f"{role} {_NAMES.get(role, '')}"
        table.add_row(name, f"{debit:.2f}" if debit else "", f"{credit:.2f}" if credit else "", f"{counted:.2f}")
    table.add_section()
    table.add_row("Total", f"{debit_sum:.2f}", f"{credit_sum:.2f}", "")
    return table


def _completeness(findings: Findings) -> Table:
    buckets = ", ".join(f"{count} {bucket.replace('_', ' ')}" for bucket, count in findings.buckets.items())
    title = (
        f"Completeness: handed on by the edge = accounted for in the ledger ({buckets}): {_yes(findings.is_complete)}"
    )
    table = Table(title=title, title_justify="left")
    for column in ("interface", "currency", "events", "money", "accounted events", "accounted money", "same names"):
        table.add_column(column, justify="left" if column in ("interface", "currency") else "right")
    for key in sorted(findings.handed_on.keys() | findings.accounted.keys()):
        interface, currency = key
        count, units, names = findings.handed_on.get(key, (0, 0, 0))
        other_count, other_units, other_names = findings.accounted.get(key, (0, 0, 0))
        left, right = (Money(currency, one).decimal() for one in (units, other_units))
        table.add_row(interface, currency, str(count), left, str(other_count), right, _yes(names == other_names))
    return table


def _matched(findings: Findings) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for match in findings.matches:
        if match.state == _M.STATE_WRITTEN:
            for key in (match.anchor, *match.members):
                found.setdefault(key.rpartition("/")[2], []).append(match.certificate.rule.replace("_", " "))
    return {key: ", ".join(rules) for key, rules in found.items()}


def _words(event: event_pb2.Event) -> str:
    """For example `order paid 1001`: the kind, and what people call it."""
    kind = event_pb2.EventKind.Name(event.kind).removeprefix("EVENT_KIND_").lower().replace("_", " ")
    orders = [one.value for one in event.references if one.kind == provenance_pb2.Reference.KIND_ORDER]
    return " ".join([kind, *orders[-1:], event.bank_line.remittance]).strip()


def _total(posting: posting_pb2.Posting) -> str:
    debits: dict[str, int] = {}
    for line in posting.document.lines:
        if line.balance.minor_units > 0:
            debits[line.balance.currency_code] = debits.get(line.balance.currency_code, 0) + line.balance.minor_units
    return " ".join(str(Money(currency, units)) for currency, units in debits.items())


def _money(message: money_pb2.Money) -> str:
    return str(Money(message.currency_code, message.minor_units)) if message.currency_code else ""


def _state(posting: posting_pb2.Posting) -> str:
    return _P.State.Name(posting.state).removeprefix("STATE_").lower()


def _reconciliation(posting: posting_pb2.Posting) -> str:
    word = _P.Reconciliation.Name(posting.reconciliation).removeprefix("RECONCILIATION_").lower()
    return {"full": "closed", "partial": f"open: {', '.join(posting.open_roles)}"}.get(word, "")


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"
