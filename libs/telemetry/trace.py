"""Spans as the walk needs them. A `Tracer` without an SDK tracer records nothing, yet passes the context on.

- `transaction`: the root of a transaction's trace; its trace id is the transaction id.
- `step`: a business step in a transaction's own trace, resumed from the traceparent stored with its row.
- `batch`: a trace of its own for work on many items; `Batch.item` adds a span to each item's own trace, linked to it.
- `join`: a span in each matched transaction's own trace, linked to the statement's.
- `technical`: a child of whatever is current; recorded for a tenth of the traces.

The root span's id is the low half of the transaction id, so a row that holds only the transaction id has a parent too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from opentelemetry import context as context_api
from opentelemetry import trace as trace_api
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from libs.errors import ConcordError
from libs.telemetry import names
from libs.telemetry.context import (
    complete,
    context_of,
    current_transaction_id,
    decision_of,
    parse_traceparent,
    parse_transaction_id,
    root_ids,
    technical_decision,
    traceparent_of,
)

Value = str | bool | int
Attributes = Mapping[str, Value]

LOW_64_BITS = (1 << 64) - 1


class Step:
    """A piece of work that is being traced, or not. Use it with `with`; an error that leaves it marks the span."""

    def __init__(self, span: Span | None, context: Context | None) -> None:
        self._span = span
        self._failed = False
        self.context = context  # what the work goes on in; None: whatever is current

    @property
    def recording(self) -> bool:
        """Whether there is a span."""
        return self._span is not None

    @property
    def traceparent(self) -> str:
        """What to store with the row, so that later steps go on from here; empty where there is no trace."""
        return traceparent_of(self.context) if self.context is not None else traceparent_of()

    def set(self, name: str, value: Value) -> None:
        """Add an attribute. Never amounts, names of people, or secrets."""
        if self._span is not None:
            self._span.set_attribute(name, value)

    def fail(self, reason: str) -> None:
        """Mark the span as failed, with a stable reason and no text."""
        self._failed = True
        if self._span is not None:
            self._span.set_attribute(names.REASON, reason)
            self._span.set_status(Status(StatusCode.ERROR, reason))

    def __enter__(self) -> Self:
        self._token = None if self.context is None else context_api.attach(self.context)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None and not self._failed:
            self.fail(reason_of(error))
        self.end()
        if self._token is not None:
            context_api.detach(self._token)

    def end(self) -> None:
        """End the span; `with` does it by itself."""
        if self._span is not None:
            self._span.end()


class Batch(Step):
    """Work on many items at once, in a trace of its own."""

    def __init__(self, tracer: Tracer, span: Span | None, context: Context | None, began_ns: int = 0) -> None:
        super().__init__(span, context)
        self._tracer = tracer
        self._began_ns = began_ns

    def item(
        self,
        name: str,
        transaction_id: str,
        traceparent: str | None = None,
        attributes: Attributes | None = None,
        *,
        failed: str | None = None,
    ) -> None:
        """Add a business span to the item's own trace, as long as the batch has taken and linked to it.

        `failed` is the stable reason, where the item failed.
        """
        if self._span is not None:
            links = [Link(self._span.get_span_context())]
            self._tracer.record(name, transaction_id, traceparent, attributes, links, self._began_ns, failed)


class Tracer:
    """Makes the spans of one service. Fit to be handed to workers as the Protocol in their `ports.py`."""

    def __init__(self, spans: trace_api.Tracer | None = None, technical_share: float = 0.1) -> None:
        self._spans = spans
        self._technical_share = technical_share

    @property
    def records(self) -> bool:
        """Whether spans are recorded at all."""
        return self._spans is not None

    def transaction(
        self, name: str, transaction_id: str, attributes: Attributes | None = None, *, links: Sequence[str] = ()
    ) -> Step:
        """Begin a transaction's trace, once, in the commit that first stores it.

        `links` are traceparents of what it came from: the delivery's, a partner's own.
        """
        trace_id = parse_transaction_id(transaction_id)
        if trace_id is None:
            return Step(None, None)
        technical = technical_decision(trace_id, self._technical_share)
        root = _root_context(trace_id, technical)
        if self._spans is None:
            return Step(None, context_of(root, technical, transaction_id))
        with root_ids(root.trace_id, root.span_id):
            span = self._spans.start_span(
                name, Context(), attributes=_business(name, transaction_id, attributes), links=_links(links)
            )
        context = complete(trace_api.set_span_in_context(span, Context()), technical, transaction_id)
        return Step(span, context)

    def step(
        self,
        name: str,
        transaction_id: str,
        traceparent: str | None = None,
        attributes: Attributes | None = None,
        *,
        links: Sequence[str] = (),
    ) -> Step:
        """A business step of a transaction, in its own trace, whatever is current.

        `traceparent` is the one stored with the row; without it, or if it is another trace's (then it becomes a link),
        the step hangs from the transaction's root.
        """
        resumed = self._resume(transaction_id, traceparent)
        if resumed is None:
            return Step(None, None)
        parent, foreign = resumed
        technical = parent.trace_flags.sampled
        if self._spans is None:
            return Step(None, context_of(parent, technical, transaction_id))
        span = self._spans.start_span(
            name,
            _under(parent),
            attributes=_business(name, transaction_id, attributes),
            links=[*_links(links), *foreign],
        )
        return Step(span, complete(trace_api.set_span_in_context(span, Context()), technical, transaction_id))

    def record(
        self,
        name: str,
        transaction_id: str,
        traceparent: str | None,
        attributes: Attributes | None,
        links: Sequence[Link],
        began_ns: int | None = None,
        failed: str | None = None,
    ) -> None:
        """A business span that is over already, from `began_ns` (since the epoch) to now."""
        resumed = self._resume(transaction_id, traceparent)
        if self._spans is None or resumed is None:
            return
        parent, foreign = resumed
        span = self._spans.start_span(
            name,
            _under(parent),
            attributes=_business(name, transaction_id, attributes),
            links=[*links, *foreign],
            start_time=began_ns,
        )
        if failed is not None:
            span.set_attribute(names.REASON, failed)
            span.set_status(Status(StatusCode.ERROR, failed))
        span.end()

    def batch(self, name: str, attributes: Attributes | None = None, *, links: Sequence[str] = ()) -> Batch:
        """Work on many items, in a new trace of its own, always recorded: its items' spans link to it."""
        if self._spans is None:
            return Batch(self, None, None)
        began_ns = time.time_ns()
        span = self._spans.start_span(
            name,
            Context(),
            start_time=began_ns,
            attributes={**(attributes or {}), names.SPAN_CLASS: names.BUSINESS, names.STEP: name},
            links=_links(links),
        )
        technical = technical_decision(span.get_span_context().trace_id, self._technical_share)
        return Batch(self, span, complete(trace_api.set_span_in_context(span, Context()), technical, None), began_ns)

    def join(
        self,
        name: str,
        matched: Iterable[tuple[str, str | None]],
        statement_traceparent: str | None,
        attributes: Attributes | None = None,
    ) -> None:
        """Add a span to the own trace of each matched (transaction id, traceparent), linked to the statement's."""
        if self._spans is None:
            return
        links = _links([statement_traceparent or ""])
        for transaction_id, traceparent in matched:
            self.record(name, transaction_id, traceparent, attributes, links)

    def technical(
        self,
        name: str,
        attributes: Attributes | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Context | None = None,
    ) -> Step:
        """A child of the current step (or of `parent`), recorded if the trace's technical spans are.

        If not, nothing is made at all: what runs inside hangs from the last span that is recorded, so no trace
        shows a parent that never arrives.
        """
        if self._spans is None:
            return Step(None, parent)
        context = parent if parent is not None else context_api.get_current()
        decision = decision_of(context)
        if decision is False:
            return Step(None, parent)
        span = self._spans.start_span(
            name, context, kind=kind, attributes={**(attributes or {}), names.SPAN_CLASS: names.TECHNICAL}
        )
        if not span.is_recording():  # a new trace that the sampler left out
            return Step(None, parent)
        return Step(span, complete(trace_api.set_span_in_context(span, context), True, current_transaction_id(context)))

    def _resume(self, transaction_id: str, traceparent: str | None) -> tuple[SpanContext, list[Link]] | None:
        """What to hang a transaction's step from (its flag is the decision), and a link to a foreign traceparent."""
        trace_id = parse_transaction_id(transaction_id)
        if trace_id is None:
            return None
        parent = parse_traceparent(traceparent)
        if parent is not None and parent.trace_id == trace_id:
            return parent, []
        root = _root_context(trace_id, technical_decision(trace_id, self._technical_share))
        return root, [Link(parent)] if parent is not None else []


def reason_of(error: BaseException) -> str:
    """A stable word for an error: its reason if it has one, else its class. Never its text."""
    return error.reason if isinstance(error, ConcordError) else type(error).__name__


def _root_context(trace_id: int, technical: bool) -> SpanContext:
    span_id = trace_id & LOW_64_BITS or 1  # a UUID's variant bits make it non-zero; another id might not be one
    flags = TraceFlags(TraceFlags.SAMPLED if technical else TraceFlags.DEFAULT)
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)


def _under(parent: SpanContext) -> Context:
    """The least that starting a business span needs: the sampler asks nothing else."""
    return trace_api.set_span_in_context(NonRecordingSpan(parent), Context())


def _business(name: str, transaction_id: str, attributes: Attributes | None) -> dict[str, Value]:
    return {
        **(attributes or {}),
        names.SPAN_CLASS: names.BUSINESS,
        names.STEP: name,
        names.TRANSACTION_ID: transaction_id,
    }


def _links(traceparents: Sequence[str]) -> list[Link]:
    parsed = (parse_traceparent(traceparent) for traceparent in traceparents)
    return [Link(span_context) for span_context in parsed if span_context is not None]
