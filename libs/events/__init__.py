"""Canonical events: what happened, whoever said so. Values only."""

from .body import (
    BalanceTransaction,
    BankLine,
    Body,
    Evidence,
    FeeDetail,
    LineKind,
    Order,
    OrderLine,
    OrderRefund,
    Party,
    TaxLine,
)
from .codec import event_from_json, event_to_json, settlement_from_json, settlement_to_json
from .digest import DIGEST_VERSION, digest_of
from .effects import EffectKey, is_effect_key, is_rival_key, rival_key
from .event import Channel, Event, EventInvalid, EventKind, Provenance, Reference, ReferenceKind, event_name, split_name
from .ids import Clock, IdSource, TransactionIds
from .records import from_plain, to_text
from .settlement import Settlement, SettlementLine

__all__ = [
    "DIGEST_VERSION",
    "BalanceTransaction",
    "BankLine",
    "Body",
    "Channel",
    "Clock",
    "EffectKey",
    "Event",
    "EventInvalid",
    "EventKind",
    "Evidence",
    "FeeDetail",
    "IdSource",
    "LineKind",
    "Order",
    "OrderLine",
    "OrderRefund",
    "Party",
    "Provenance",
    "Reference",
    "ReferenceKind",
    "Settlement",
    "SettlementLine",
    "TaxLine",
    "TransactionIds",
    "digest_of",
    "event_from_json",
    "event_name",
    "event_to_json",
    "from_plain",
    "is_effect_key",
    "is_rival_key",
    "rival_key",
    "settlement_from_json",
    "settlement_to_json",
    "split_name",
    "to_text",
]
