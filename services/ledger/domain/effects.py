"""Which effects an event has, before anything is known of the company's books."""

from __future__ import annotations

from libs.events import BalanceTransaction, BankLine, Event, EventKind, effect_key

_OF_DOCUMENTS = {
    EventKind.ORDER_PAID: "invoice",
    EventKind.ORDER_REFUNDED: "credit",
    EventKind.DISPUTE_LOST: "lost",
}
_FEES = (EventKind.FEE, EventKind.FEE_RETURNED)


def effects_of(event: Event) -> tuple[str, ...]:
    """The words of the effects that `rules.build` makes documents of, in the same order; none for evidence."""
    if event.kind is EventKind.EVIDENCE:
        return ()
    if word := _OF_DOCUMENTS.get(event.kind):
        return (word,)
    if isinstance(event.body, BankLine):
        return (str(event.body.occurrence),)
    if isinstance(event.body, BalanceTransaction):
        gross = "fee" if event.kind in _FEES else "gross"
        words = [gross] * bool(event.body.gross) + ["fee"] * bool(event.body.fee)
        return tuple(dict.fromkeys(words))
    return ()


def key_of(event: Event, effect: str) -> str:
    """The business key of one of the event's effects."""
    return effect_key(event.company, event.provider, event.account, event.object_id, effect)
