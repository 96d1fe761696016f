"""What the SDK is given so that a transaction is its trace: ids that are set, not drawn, and two classes of spans."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from libs.telemetry.context import ROOT, decision_of, technical_decision
from libs.telemetry.names import BUSINESS, SPAN_CLASS


class TransactionIdGenerator(RandomIdGenerator):
    """Random ids, but for the root span of a transaction."""

    def generate_trace_id(self) -> int:
        root = ROOT.get()
        return root[0] if root is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        root = ROOT.get()
        return root[1] if root is not None else super().generate_span_id()


class ConcordSampler(Sampler):
    """Business spans always; any other by the decision that its context holds, else by the trace id."""

    def __init__(self, technical_share: float) -> None:
        if not 0.0 <= technical_share <= 1.0:
            raise ValueError("the share of technical spans must be between 0 and 1")
        self._share = technical_share

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        context = parent_context if parent_context is not None else context_api.get_current()
        parent = trace.get_current_span(context).get_span_context()
        state = parent.trace_state if parent.is_valid else None
        if attributes is not None and attributes.get(SPAN_CLASS) == BUSINESS:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
        decision = decision_of(context)
        if decision is None:
            decision = technical_decision(trace_id, self._share)
        if decision:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
        return SamplingResult(Decision.DROP, None, state)

    def get_description(self) -> str:
        return f"ConcordSampler{{{self._share}}}"
