"""Stripe's webhook events: money where a balance transaction is inside, else evidence or nothing.

| the event's object | gives |
| --- | --- |
| a balance transaction, whole, inside it | its money event, as the poll would give it |
| a dispute, closed as lost | `DISPUTE_LOST` |
| one of `EVIDENCE` | evidence; it wakes the poll if it names a balance transaction, or is a payout |
| the balance | nothing; it wakes the poll |
| anything else, types of the future too | nothing; it wakes the poll if it names a balance transaction |
| of another mode, or of a connected account | nothing: those are not this account's books |

What an event says of a status is never trusted for money: a charge's success is the balance transaction's to tell.
"""

from __future__ import annotations

from libs.errors import ConcordError
from libs.events import Event, EventKind, Evidence, Reference, ReferenceKind, event_name
from libs.money import exponent_of
from providers.base import Delivery, Problem, Translation
from providers.reading import Shape

from .events import balance_transaction_event
from .objects import PresentmentUnknown, money, references, transaction

TRANSLATOR = "stripe/1"

# The object's word for itself, and its field with the amount.
EVIDENCE: dict[str, str] = {
    "application_fee": "amount",
    "charge": "amount",
    "checkout.session": "amount_total",
    "credit_note": "total",
    "dispute": "amount",
    "invoice": "total",
    "payment_intent": "amount",
    "payout": "amount",
    "refund": "amount",
    "topup": "amount",
    "transfer": "amount",
}
# The first words of the types that Stripe has for them; disputes stand under charges.
_FAMILIES = tuple(f"{word}." for word in EVIDENCE)
_NAMING_FIELDS = ("balance_transaction", "failure_balance_transaction")
_AMOUNTS = ("amount", "amount_received", "amount_captured", "amount_refunded", "amount_total", "total")
LIVEMODE_MISMATCH = "LIVEMODE_MISMATCH"
ACCOUNT_MISMATCH = "ACCOUNT_MISMATCH"
NO_MONEY = "CONCERNS_NO_MONEY"
TYPE_UNKNOWN = "TYPE_UNKNOWN"


def envelope(body: Shape) -> tuple[str, str]:
    """An event's id and type, with the checks that tell a real event from a likeness; raises `ShapeInvalid`.

    Amounts are looked at so that an event whose money makes no sense is refused before it is stored; of objects whose
    money is not read, they may be anything, or a novelty of Stripe's would have its endpoint switched off.
    """
    if body.maybe_text("object") != "event":
        raise body.invalid("object", "`event`")
    if body.has("created"):
        body.instant("created")
    body.maybe_flag("livemode")
    inner = body.shape("data").shape("object")
    word = inner.maybe_text("object")
    if (not word or word in EVIDENCE) and inner.has("currency"):
        currency = inner.text("currency")
        exponent_of(currency.upper())
        for key in _AMOUNTS:
            if inner.has(key):
                money(inner, key)
    return body.segment("id"), body.text("type")


def translate_event(delivery: Delivery, body: Shape) -> Translation:
    """Raises `ShapeInvalid` or `UnknownCurrency` where the whole event cannot be read."""
    strange = _strange(delivery, body)
    if strange:
        return Translation(ignored=strange)
    inner = body.shape("data").shape("object")
    word = inner.maybe_text("object")
    names = word in ("balance", "payout") or any(
        inner.maybe_shape(key) is None and inner.has(key) for key in _NAMING_FIELDS
    )
    if not _transactions(inner):
        if word not in EVIDENCE:
            return Translation(ignored=NO_MONEY, wakes_poll=names)
        if not body.text("type").startswith(_FAMILIES):
            return Translation(ignored=TYPE_UNKNOWN, wakes_poll=names)
    events, problems, wakes = _money_events(delivery, body, inner)
    lost = _dispute_lost(delivery, body, inner)
    if lost:
        events.append(lost)
    if not events and not problems:
        evidence = _evidence(delivery, body, inner, word)
        if evidence is None:
            return Translation(ignored=NO_MONEY, wakes_poll=names)
        events.append(evidence)
    return Translation(events=tuple(events), problems=tuple(problems), wakes_poll=wakes or names)


def _strange(delivery: Delivery, body: Shape) -> str:
    """Why the event does not belong to the source's books, empty if it does; a look at a file takes all."""
    source = delivery.source
    if source.livemode is None:
        return ""
    # An event that does not say so is not live.
    if body.maybe_flag("livemode") != source.livemode:
        return LIVEMODE_MISMATCH
    # Only a platform's endpoint hears of connected accounts, and only those events name their account.
    return ACCOUNT_MISMATCH if body.maybe_text("account") not in ("", source.account) else ""


def _transactions(inner: Shape) -> list[Shape]:
    """The whole balance transactions in an object: expanded fields, or a dispute's list."""
    if inner.maybe_text("object") == "balance_transaction":
        return [inner]
    fields = (inner.maybe_shape(key) for key in _NAMING_FIELDS)
    listed = inner.shapes("balance_transactions") if inner.maybe_text("object") == "dispute" else []
    return [found for found in (*fields, *listed) if found is not None]


def _money_events(delivery: Delivery, body: Shape, inner: Shape) -> tuple[list[Event], list[Problem], bool]:
    events: list[Event] = []
    problems: list[Problem] = []
    wakes = False
    source = None if inner.maybe_text("object") == "balance_transaction" else inner
    for shape in _transactions(inner):
        try:
            found = transaction(shape, source, delivery.source.interface)
            events.append(
                balance_transaction_event(
                    found,
                    company=delivery.source.company,
                    account=delivery.source.account,
                    provenance=delivery.provenance(
                        TRANSLATOR, "balance_transaction", found.id, source_event_id=body.text("id")
                    ),
                )
            )
        except PresentmentUnknown:
            wakes = True
        except ConcordError as error:
            problems.append(Problem(error.reason, str(error)))
    events.sort(key=lambda event: event.effective_at)
    return list({event.name: event for event in events}.values()), problems, wakes


def _dispute_lost(delivery: Delivery, body: Shape, inner: Shape) -> Event | None:
    if body.text("type") != "charge.dispute.closed" or inner.maybe_text("status") != "lost":
        return None
    dispute, issuer = inner.text("id"), delivery.source.interface
    moved = [
        Reference(ReferenceKind.BALANCE_TRANSACTION, shape.text("id"), issuer)
        for shape in inner.shapes("balance_transactions")
    ]
    return Event(
        name=event_name("stripe", delivery.source.account, f"{dispute}-lost"),
        kind=EventKind.DISPUTE_LOST,
        company=delivery.source.company,
        object_id=dispute,
        effective_at=body.instant("created"),
        amount=money(inner, "amount"),
        body=Evidence(type="charge.dispute.closed"),
        provenance=delivery.provenance(TRANSLATOR, "dispute", dispute, source_event_id=body.text("id")),
        references=tuple(dict.fromkeys([*references(inner, issuer), *moved])),
    )


def _evidence(delivery: Delivery, body: Shape, inner: Shape, word: str) -> Event | None:
    """None where the object has no amount to count: a set-up session, a plan without a price."""
    if word not in EVIDENCE or not inner.has(EVIDENCE[word]) or not inner.has("currency"):
        return None
    event_id = body.text("id")
    object_id = inner.maybe_text("id") or event_id  # an upcoming invoice has none
    return Event(
        name=event_name("stripe", delivery.source.account, event_id),
        kind=EventKind.EVIDENCE,
        company=delivery.source.company,
        object_id=object_id,
        effective_at=body.instant("created") if body.has("created") else delivery.received_at.replace(microsecond=0),
        amount=money(inner, EVIDENCE[word]),
        body=Evidence(type=body.text("type")),
        provenance=delivery.provenance(TRANSLATOR, word, object_id, source_event_id=event_id),
        references=references(inner, delivery.source.interface),
    )
