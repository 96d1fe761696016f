"""Names that dashboards and searches rely on: span attributes, baggage, metrics. They are stable, like an API."""

from __future__ import annotations

TRANSACTION_ID = "concord.transaction_id"
COMPANY = "concord.company"
PROVIDER = "concord.provider"
INTERFACE = "concord.interface"  # `{provider}/{account}`
STEP = "concord.step"
SPAN_CLASS = "concord.span_class"  # BUSINESS or TECHNICAL
REASON = "concord.reason"
EVENT = "concord.event"  # resource names, never contents
POSTING = "concord.posting"
MATCH = "concord.match"
DELIVERY = "concord.delivery"
WORKER = "concord.worker"
QUEUE = "concord.queue"

BUSINESS = "business"
TECHNICAL = "technical"

ODOO_MODEL = "odoo.model"
ODOO_METHOD = "odoo.method"
ODOO_OUTCOME = "odoo.outcome"  # `ok`, or the class of the error

RPC_SYSTEM = "rpc.system"
RPC_SERVICE = "rpc.service"
RPC_METHOD = "rpc.method"
RPC_STATUS = "rpc.response.status_code"

METRIC_RECEIVED = "concord.events.received"
METRIC_POSTED = "concord.postings.posted"
METRIC_DUPLICATES = "concord.events.duplicates"
METRIC_NO_EFFECT = "concord.events.no_effect"
METRIC_RETRIES = "concord.retries"
METRIC_EXCEPTIONS = "concord.exceptions"
METRIC_SIGNATURE_FAILURES = "concord.signature.failures"
METRIC_AUTHENTICATION_FAILURES = "concord.authentication.failures"
METRIC_MAPPING_FAILURES = "concord.mapping.failures"
METRIC_UNRESOLVED = "concord.references.unresolved"
METRIC_QUEUE_DEPTH = "concord.queue.depth"
METRIC_QUEUE_AGE = "concord.queue.age"
METRIC_LATENCY = "concord.posting.latency"
METRIC_UNMATCHED = "concord.lines.unmatched"
METRIC_ODOO_LATENCY = "concord.odoo.call.duration"
METRIC_RPC_LATENCY = "concord.rpc.server.duration"
METRIC_SPANS_LOST = "concord.telemetry.spans.lost"
METRIC_WORKER_FAILURES = "concord.worker.failures"
