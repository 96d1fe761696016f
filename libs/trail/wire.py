"""The trail over gRPC: the same two methods in every service."""

from __future__ import annotations

from concord.trace.v1 import trace_pb2

from libs.access import AccessScope
from libs.rpc.filling import filled
from libs.rpc.pages import Page
from libs.rpc.requests import resource_name, transaction_id

from . import ControlTotal, Step, Trail


def list_transaction_steps(
    request: trace_pb2.ListTransactionStepsRequest, trail: Trail, service: str, scope: AccessScope
) -> trace_pb2.ListTransactionStepsResponse:
    """Oldest first; no steps for an id that the service or the caller does not know. Raises `InvalidRequest`."""
    page = Page.of(request)
    meant, steps = trail.steps(transaction_id(request.transaction_id), scope)
    start, end = page.start, page.start + page.size
    return trace_pb2.ListTransactionStepsResponse(
        steps=[_from_step(step, service) for step in steps[start:end]],
        next_page_token=page.token_after((end,) if end < len(steps) else None),
        transaction_id=meant,
    )


def list_control_totals(
    request: trace_pb2.ListControlTotalsRequest, trail: Trail, scope: AccessScope
) -> trace_pb2.ListControlTotalsResponse:
    """By day, interface, currency and bucket. Raises `InvalidRequest`."""
    page = Page.of(request)
    totals = trail.totals(resource_name(request.parent, "parent", "companies/{company}")["company"], scope)
    start, end = page.start, page.start + page.size
    return trace_pb2.ListControlTotalsResponse(
        totals=[_from_total(total) for total in totals[start:end]],
        next_page_token=page.token_after((end,) if end < len(totals) else None),
    )


def _from_step(step: Step, service: str) -> trace_pb2.TransactionStep:
    return filled(trace_pb2.TransactionStep, step, occur_time=step.at, service=service)


def _from_total(total: ControlTotal) -> trace_pb2.ControlTotal:
    return filled(
        trace_pb2.ControlTotal,
        total,
        company=f"companies/{total.company}",
        event_count=total.count,
        name_set_hash=total.names_hash,
    )
