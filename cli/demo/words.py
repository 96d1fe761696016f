"""What a finance person calls things: which order a document belongs to, what it is, and what it was matched with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from concord.events.v1 import event_pb2, provenance_pb2
from concord.ledger.v1 import posting_pb2
from concord.recon.v1 import match_pb2

from libs.events import EffectKey
from libs.money import Money

_P, _M = posting_pb2.Posting, match_pb2.Match
_D, _R = posting_pb2.Document, provenance_pb2.Reference
ROLES = {
    "AR": "Accounts receivable", "BANK": "Bank", "CBL": "Chargeback losses", "CLR": "Provider clearing",
    "DFE": "Dispute fees", "DSP": "Disputed payments", "FEE": "Provider fees", "FXD": "Exchange differences",
    "RET": "Sales returns", "REV": "Sales", "SUS": "Bank suspense", "TAX": "Sales tax", "TRN": "Payouts in transit",
    "UNX": "Unexplained provider items",
}  # fmt: skip
_KINDS = {"capture": "payment", "refund": "money back", "order paid": "order", "order refunded": "return"}
_EFFECTS = {"gross": "", "credit": "credit note", "party": "moved to its customer"}
_MATCHES = {
    _M.TYPE_BANK_PAYOUT: ("bank line", "payout"),
    _M.TYPE_BANK_INVOICE: ("bank line", "invoice"),
}


class Words:
    """Speaks of one company's postings. Built from all of them, since each is explained by its others."""

    def __init__(
        self,
        postings: Iterable[posting_pb2.Posting],
        events: Mapping[str, event_pb2.Event],
        matches: Iterable[match_pb2.Match],
    ) -> None:
        self._events = events
        self._postings = {_key(posting.name): posting for posting in postings}
        self._orders = _order_numbers(events.values())
        self._matched: dict[str, list[str]] = defaultdict(list)
        for match in sorted(matches, key=lambda found: found.type):
            if match.state == _M.STATE_WRITTEN:
                self._tell_both_sides(match)

    def when(self, posting: posting_pb2.Posting) -> tuple[float, str, bool, str]:
        """Sorts as the day went, a fee behind its payment."""
        event = self._events.get(posting.event)
        at = event.effective_time.ToMicroseconds() / 1e6 if event else 0.0
        return at, posting.transaction_id, effect_of(posting) == "fee", posting.name

    def what(self, posting: posting_pb2.Posting) -> str:
        """For example `payment for order 1001, fee`."""
        event = self._events.get(posting.event)
        if event is None:
            return posting.name
        kind = event_pb2.EventKind.Name(event.kind).removeprefix("EVENT_KIND_").lower().replace("_", " ")
        if event.HasField("bank_line"):
            return f"{kind} '{event.bank_line.remittance}'"
        words, order = _KINDS.get(kind, kind), self._order(posting)
        if order:
            words = f"{words} {order}" if words == "order" else f"{words} for order {order}"
        elif words == "payment":
            words += " without an order"
        effect = effect_of(posting)
        return ", ".join(filter(None, [words, _EFFECTS.get(effect, effect)]))

    def total(self, posting: posting_pb2.Posting) -> str:
        """The document's debits in its own currency, and in the company's where that is another."""
        own, company = (_debits(posting, side) for side in ("amount", "balance"))
        return own if own == company else f"{own} = {company}"

    def matched(self, posting: posting_pb2.Posting) -> str:
        """Its counterparts by their numbers, and what is still open."""
        parts = list(self._matched.get(_key(posting.name), ()))
        parts += self._reconciled_with(posting)
        if posting.state == _P.STATE_POSTED and posting.open_roles:
            parts.append("open: " + ", ".join(ROLES.get(role, role).lower() for role in posting.open_roles))
        return "; ".join(parts)

    def number(self, name: str) -> str:
        """Odoo's number of a posting, else its name's last part."""
        found = self._postings.get(_key(name))
        return found.odoo_number if found and found.odoo_number else _key(name)

    def _order(self, posting: posting_pb2.Posting) -> str:
        event = self._events.get(posting.event)
        keys = [(reference.kind, reference.value) for reference in event.references] if event else []
        return next((self._orders[key] for key in keys if key in self._orders), "")

    def _reconciled_with(self, posting: posting_pb2.Posting) -> list[str]:
        """The other documents of the same order on the customer's account, where Odoo shows it closed."""
        order = self._order(posting)
        if not order or not _on_receivable(posting) or "AR" in posting.open_roles:
            return []
        others = [
            name.odoo_number
            for name in self._postings.values()
            if name.name != posting.name
            and name.odoo_number
            and _on_receivable(name)
            and (_is_sale(posting) or _is_sale(name))
            and self._order(name) == order
        ]
        return [f"reconciled with {', '.join(sorted(others))}"] if others else []

    def _tell_both_sides(self, match: match_pb2.Match) -> None:
        rule = match.certificate.rule
        how = rule.partition("_transactions_")[2] or rule.split("_", 2)[-1]
        how = how.replace("_", " ")
        if match.type == _M.TYPE_PAYOUT_TRANSACTIONS:
            self._matched[_key(match.anchor)].append(f"its {len(match.members)} entries, {how}")
            for member in match.members:
                self._matched[_key(member)].append(f"payout {self.number(match.anchor)}")
            return
        bank, other = _MATCHES.get(match.type, ("", ""))
        self._matched[_key(match.anchor)] += [f"{other} {self.number(member)}, {how}" for member in match.members]
        for member in match.members:
            self._matched[_key(member)].append(f"{bank} {self.number(match.anchor)}, {how}")


def money(message: object) -> str:
    """For example `12.34 USD`; nothing where there is none."""
    code, units = getattr(message, "currency_code", ""), getattr(message, "minor_units", 0)
    return str(Money(code, units)) if code else ""


def _key(name: str) -> str:
    return name.rpartition("/")[2]


def effect_of(posting: posting_pb2.Posting) -> str:
    return EffectKey.parse(_key(posting.name)).effect


def _is_sale(posting: posting_pb2.Posting) -> bool:
    return posting.document.type in (_D.TYPE_CUSTOMER_INVOICE, _D.TYPE_CUSTOMER_CREDIT_NOTE)


def _on_receivable(posting: posting_pb2.Posting) -> bool:
    return _is_sale(posting) or any(line.role == "AR" for line in posting.document.lines)


def _debits(posting: posting_pb2.Posting, side: str) -> str:
    sums: dict[str, int] = defaultdict(int)
    for line in posting.document.lines:
        if line.balance.minor_units > 0:
            value = getattr(line, side)
            sums[value.currency_code] += value.minor_units
    return " + ".join(str(Money(currency, units)) for currency, units in sums.items())


def _order_numbers(events: Iterable[event_pb2.Event]) -> dict[tuple[int, str], str]:
    """The number by which people know an order, for each id of the order and each payment of it."""
    found: dict[tuple[int, str], str] = {}
    events = list(events)
    for event in events:
        ids = [reference.value for reference in event.references if reference.kind == _R.KIND_ORDER]
        for name in ids:
            if len(ids) > 1:
                found[_R.KIND_ORDER, name] = ids[-1]
            else:
                found.setdefault((_R.KIND_ORDER, name), name)
    for event in events:
        orders = [
            found[reference.kind, reference.value] for reference in event.references if reference.kind == _R.KIND_ORDER
        ]
        for reference in event.references:
            if orders and reference.kind == _R.KIND_PAYMENT:
                found[reference.kind, reference.value] = orders[0]
    return found
