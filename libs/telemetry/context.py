"""Trace context by hand: W3C `traceparent` and `baggage`, in memory, on the wire and in a column.

The sampled flag of a traceparent that we write says whether the trace's *technical* spans are recorded: business
steps always are. So the 55 characters that are stored with a row carry the decision too, and work resumed days later
decides as the trace began.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import baggage, trace
from opentelemetry import context as context_api
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from libs.telemetry.names import TRANSACTION_ID

LOW_56_BITS = (1 << 56) - 1
BAGGAGE_CHARACTERS = 8192

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_TRANSACTION_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_TECHNICAL = context_api.create_key("concord-technical")
ROOT: ContextVar[tuple[int, int] | None] = ContextVar("concord_root_span", default=None)


@contextmanager
def root_ids(trace_id: int, span_id: int) -> Iterator[None]:
    """Let the next root span have these ids."""
    token = ROOT.set((trace_id, span_id))
    try:
        yield
    finally:
        ROOT.reset(token)


def technical_decision(trace_id: int, share: float) -> bool:
    """Whether a new trace's technical spans are recorded.

    Decided by the low 56 bits: a UUIDv7's low 64 start with two fixed bits, so a common ratio sampler, which compares
    all 64, would take none of our traces for any share below a half.
    """
    return (trace_id & LOW_56_BITS) < round(share * (LOW_56_BITS + 1))


def decision_of(context: Context) -> bool | None:
    """The decision that the context holds: made here, or by whoever began the trace; None in a context of no trace."""
    held = context_api.get_value(_TECHNICAL, context)
    if isinstance(held, bool):
        return held
    parent = trace.get_current_span(context).get_span_context()
    return parent.trace_flags.sampled if parent.is_valid else None


def parse_traceparent(traceparent: str | None) -> SpanContext | None:
    """The remote span named, or None if there is none or the header is malformed."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    if match is None:
        return None
    if match[4] and match[0].startswith("00"):
        return None  # version 00 has four fields
    flags = TraceFlags(int(match[3], 16) & TraceFlags.SAMPLED)
    parsed = SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=flags)
    return parsed if parsed.is_valid else None


def format_traceparent(trace_id: int, span_id: int, technical: bool) -> str:
    return f"00-{trace_id:032x}-{span_id:016x}-{'01' if technical else '00'}"


def parse_transaction_id(transaction_id: str | None) -> int | None:
    """The trace id that a transaction id is, or None for what is not 32 hexadecimal digits."""
    if transaction_id is None or _TRANSACTION_ID.fullmatch(transaction_id) is None:
        return None
    return int(transaction_id, 16) or None


def context_of(span_context: SpanContext, technical: bool, transaction_id: str | None) -> Context:
    """A context whose current span is that one, in which nothing of the present context is left."""
    context = trace.set_span_in_context(NonRecordingSpan(span_context), Context())
    return complete(context, technical, transaction_id)


def complete(context: Context, technical: bool, transaction_id: str | None) -> Context:
    """The context with its sampling decision and, if there is one, its transaction."""
    context = context_api.set_value(_TECHNICAL, technical, context)
    return baggage.set_baggage(TRANSACTION_ID, transaction_id, context) if transaction_id else context


def context_from(traceparent: str | None, transaction_id: str | None = None) -> Context | None:
    """The context to go on in, from what was stored with a row or came with a call; None if it says nothing."""
    parsed = parse_traceparent(traceparent)
    return None if parsed is None else context_of(parsed, parsed.trace_flags.sampled, transaction_id)


def traceparent_of(context: Context | None = None) -> str:
    """What to store or send so that work can go on under this (by default the current) context; empty if none."""
    present = context if context is not None else context_api.get_current()
    span_context = trace.get_current_span(present).get_span_context()
    if not span_context.is_valid:
        return ""
    return format_traceparent(span_context.trace_id, span_context.span_id, decision_of(present) or False)


def current_transaction_id(context: Context | None = None) -> str | None:
    """The transaction that is being worked on, if any."""
    value = baggage.get_baggage(TRANSACTION_ID, context)
    return value if isinstance(value, str) else None


def outgoing_headers() -> Sequence[tuple[str, str]]:
    """`traceparent` and `baggage` of the current context, for a call to another service of ours."""
    context = context_api.get_current()
    traceparent = traceparent_of(context)
    if not traceparent:
        return ()
    transaction_id = current_transaction_id(context)
    if transaction_id is None:
        return (("traceparent", traceparent),)
    return (("traceparent", traceparent), ("baggage", f"{TRANSACTION_ID}={transaction_id}"))


def incoming_context(headers: Iterable[tuple[str, str | bytes]]) -> Context | None:
    """The context that a call of ours brings. Of its baggage only the transaction id is taken, and only a valid one."""
    traceparent: str | None = None
    transaction_id: str | None = None
    for name, value in headers:
        if name == "traceparent" and isinstance(value, str):
            traceparent = value
        elif name == "baggage" and isinstance(value, str):
            transaction_id = _transaction_in(value)
    return context_from(traceparent, transaction_id)


def _transaction_in(header: str) -> str | None:
    for member in header[:BAGGAGE_CHARACTERS].split(","):
        name, _, value = member.partition("=")
        if name.strip() == TRANSACTION_ID:
            candidate = value.partition(";")[0].strip()
            return candidate if parse_transaction_id(candidate) is not None else None
    return None
