"""Pages of Stripe's balance transactions, and the payouts that they belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from libs.errors import ConcordError
from libs.events import Event, Settlement, SettlementLine
from libs.formats.strict_json import parse_json
from providers.base import ApiQuery, Delivery, ListPlace, Problem, Source, Translation
from providers.errors import ShapeInvalid
from providers.reading import Shape

from .events import balance_transaction_event
from .objects import money, transaction
from .webhooks import LIVEMODE_MISMATCH, NO_MONEY, TRANSLATOR
from .words import category_of

PAGE_TYPE = "balance_transactions"
COMPOSITION_TYPE = "payout.balance_transactions"
PAYOUT_TYPE = "payout"
PAGE_SIZE = 100
MAX_PAGE_BYTES = 8 * 1024 * 1024
_PATH = "/v1/balance_transactions"
_PAYOUT = re.compile(r"po_[A-Za-z0-9_]{1,200}", re.ASCII)  # it becomes a path of the API and a key of ours
# Expanding the source brings the customer's own currency and the references.
_PAGING = (("limit", str(PAGE_SIZE)), ("expand[]", "data.source"))


def movements(since: datetime, after: str) -> ApiQuery:
    window = (("created[gte]", str(int(since.timestamp()))),)
    return ApiQuery(_PATH, _PAGING + window + _following(after))


def composition(payout_id: str, after: str) -> ApiQuery:
    return ApiQuery(_PATH, (*_PAGING, ("payout", payout_id), *_following(after)))


def payout(payout_id: str) -> ApiQuery:
    return ApiQuery(f"/v1/payouts/{payout_id}")


def page(body: bytes) -> ListPlace:
    listed = _listed(body)
    rows = listed.shapes("data")
    newest = max((made for row in rows if (made := _created(row))), default=None)
    return ListPlace(newest, rows[-1].text("id") if rows else "", listed.flag("has_more"))


def _created(row: Shape) -> datetime | None:
    """None where the row does not say: one bad row must not hold up the list."""
    try:
        return row.instant("created")
    except ShapeInvalid:
        return None


def translate_page(delivery: Delivery) -> Translation:
    """Each sound balance transaction's event, oldest first; one that is not becomes a problem and stops no other."""
    events: list[Event] = []
    problems: list[Problem] = []
    payouts: list[str] = []
    for row in _listed(delivery.body).shapes("data"):
        try:
            event = _event(delivery, row)
            events.append(event)
        except ConcordError as error:
            problems.append(Problem(error.reason, str(error)))
            continue
        source = row.reference("source")
        if _category(row) == "payout" and _PAYOUT.fullmatch(source):
            payouts.append(source)
    events.sort(key=lambda event: (event.effective_at, event.name))
    ignored = "" if events or problems else NO_MONEY
    return Translation(tuple(events), ignored, tuple(problems), payouts=tuple(dict.fromkeys(payouts)))


def is_composed(payout_body: bytes) -> bool:
    """Whether Stripe will not change any more which transactions a payout pays."""
    found = _object(payout_body, "payout")
    return not is_automatic(payout_body) or found.maybe_text("reconciliation_status") in ("completed", "")


def is_automatic(payout_body: bytes) -> bool:
    """Only of an automatic payout does Stripe know what it pays; asked for a manual one's, it answers 400."""
    return _object(payout_body, "payout").maybe_flag("automatic")


def settlement(source: Source, payout_body: bytes, pages: Sequence[bytes]) -> Settlement:
    """A payout's lines without its own transactions. A manual payout has none: Stripe does not say what it pays.

    Another payout that came back is money to pay out again, so a line like any other.
    """
    found = _object(payout_body, "payout")
    lines: dict[str, SettlementLine] = {}
    own = found.reference("balance_transaction")
    for body in pages:
        for row in _listed(body).shapes("data"):
            if _category(row) in ("payout", "payout_reversal") and row.reference("source") == found.text("id"):
                own = own or row.text("id")
                continue
            line = SettlementLine(row.text("id"), money(row, "amount"), money(row, "fee"), money(row, "net"))
            lines[line.balance_transaction] = line
    return Settlement(
        company=source.company,
        interface=source.interface,
        payout_id=found.text("id"),
        payout_transaction=own,
        amount=money(found, "amount"),
        arrival_date=found.instant("arrival_date").date() if found.has("arrival_date") else None,
        lines=tuple(lines.values()),
        bank_references=_bank_references(found),
    )


def _bank_references(found: Shape) -> tuple[str, ...]:
    trace = found.maybe_shape("trace_id")
    stated = (trace.maybe_text("value") if trace else "", found.text("id"), found.maybe_text("statement_descriptor"))
    return tuple(dict.fromkeys(name.strip() for name in stated if name.strip()))


def _event(delivery: Delivery, row: Shape) -> Event:
    source, wanted = row.maybe_shape("source"), delivery.source.livemode
    if source and wanted is not None and source.has("livemode") and source.flag("livemode") != wanted:
        raise ShapeInvalid(LIVEMODE_MISMATCH, field=f"{row.path}.source.livemode")
    found = transaction(row, None, delivery.source.interface)
    return balance_transaction_event(
        found,
        company=delivery.source.company,
        account=delivery.source.account,
        provenance=delivery.provenance(TRANSLATOR, "balance_transaction", found.id),
    )


def _category(row: Shape) -> str:
    return category_of(row.maybe_text("reporting_category"), row.text("type"), row.reference("source"))


def _following(after: str) -> tuple[tuple[str, str], ...]:
    return (("starting_after", after),) if after else ()


def _listed(body: bytes) -> Shape:
    return _object(body, "list")


def _object(body: bytes, word: str) -> Shape:
    found = Shape(parse_json(body, max_bytes=MAX_PAGE_BYTES))
    if found.maybe_text("object") != word:
        raise found.invalid("object", f"`{word}`")
    return found
