"""JSON logs with the transaction on every line, and without what must not be in a log.

Redaction is the last line of defence, not the first: nobody should log an amount or a secret to begin with.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from opentelemetry import trace

from libs.rpc.failures import safe_stack
from libs.telemetry.context import current_transaction_id

REDACTED = "[redacted]"

# Parts of keys, between underscores or dots, whose values never reach a log.
SECRET_KEYS = frozenset(
    {"amount", "amounts", "balance", "debit", "credit", "fee", "fees", "gross", "money", "net", "price"}
    | {"authorization", "bearer", "cookie", "credential", "credentials", "passphrase", "passwd", "password"}
    | {"pin", "private", "secret", "secrets", "signature"}
    | {"body", "card", "email", "iban", "payload", "phone"}
)
SECRET_NAMES = frozenset({"token", "access_token", "refresh_token", "id_token", "api_key", "apikey", "minor_units"})

_SECRETS_IN_TEXT = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 " + REDACTED),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"), REDACTED),  # a JWT
    (re.compile(r"(?i)([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@"), r"\1:" + REDACTED + "@"),  # a URL's password
    (re.compile(r"\b(?:sk|rk|whsec|shpss|shpat)_[A-Za-z0-9_]{8,}"), REDACTED),  # providers' keys
    (
        re.compile(r"(?i)\b(password|passwd|secret|api_key|apikey|token)\s*[=:]\s*['\"]?[^\s'\",;]{4,}"),
        r"\1=" + REDACTED,
    ),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), REDACTED),  # an IBAN
)

EventDict = MutableMapping[str, Any]


def configure_logging(service_name: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send the whole process's logs, structlog's and the standard library's, to `stream` (stderr) as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(service_name),
        add_trace,
        drop_exception_text,
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *(processor for processor in shared if not isinstance(processor, structlog.stdlib.ExtraAdder)),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            structlog.processors.JSONRenderer(default=str),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())


def add_trace(logger: Any, method: str, event: EventDict) -> EventDict:
    """Add `trace_id`, `span_id` and `transaction_id` of the current context, where there is one."""
    span_context = trace.get_current_span().get_span_context()
    if span_context.is_valid:
        event.setdefault("trace_id", f"{span_context.trace_id:032x}")
        event.setdefault("span_id", f"{span_context.span_id:016x}")
    transaction_id = current_transaction_id()
    if transaction_id is not None:
        event.setdefault("transaction_id", transaction_id)
    return event


def drop_exception_text(logger: Any, method: str, event: EventDict) -> EventDict:
    """Replace an exception by its class and place: its text may quote what it stumbled over."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = safe_stack(error)
    event.pop("exc_text", None)
    return event


def redact(logger: Any, method: str, event: EventDict) -> EventDict:
    """Blank values under keys that name secrets, amounts or personal data, and secrets inside texts."""
    for key, value in event.items():
        event[key] = _redacted(key, value)
    return event


def _redacted(key: str, value: Any) -> Any:
    if _is_secret(key):
        return REDACTED
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {inner: _redacted(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", item) for item in value]
    return value if isinstance(value, int | float | bool) or value is None else scrub(str(value))


def scrub(text: str) -> str:
    """A text without bearer tokens, JWTs, passwords in URLs, providers' keys and IBANs."""
    for pattern, replacement in _SECRETS_IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _is_secret(key: str) -> bool:
    name = key.lower().replace("-", "_").replace(".", "_")
    return name in SECRET_NAMES or not SECRET_KEYS.isdisjoint(name.split("_"))


def _naming(service_name: str) -> Any:
    def name(logger: Any, method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service_name)
        return event

    return name
