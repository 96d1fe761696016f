"""JSON logs with the transaction on every line, and without what must not be in a log.

Redaction is the last line of defence, not the first: nobody should log an amount or a secret to begin with.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

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

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure_logging(service_name: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send the whole process's logs to `stream` (stderr) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service_name))
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, JsonLines):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())


class JsonLines(logging.Formatter):
    """A record as one JSON object: `event` is its message, `extra` values stand beside it under their own keys.

    The current context's `trace_id`, `span_id` and `transaction_id` are added where there are any. An exception is
    told by its class and place: its text may quote what it stumbled over.
    """

    def __init__(self, service_name: str) -> None:
        super().__init__()
        self._service_name = service_name

    def format(self, record: logging.LogRecord) -> str:
        extra = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        line: dict[str, Any] = {"event": record.getMessage(), "service": self._service_name, **_trace(), **extra}
        line["level"], line["logger"] = record.levelname.lower(), record.name
        at = datetime.fromtimestamp(record.created, UTC)
        line["timestamp"] = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = safe_stack(record.exc_info[1])
        return json.dumps({key: _redacted(key, value) for key, value in line.items()})


def _trace() -> dict[str, str]:
    found = {}
    span_context = trace.get_current_span().get_span_context()
    if span_context.is_valid:
        found = {"trace_id": f"{span_context.trace_id:032x}", "span_id": f"{span_context.span_id:016x}"}
    transaction_id = current_transaction_id()
    return found if transaction_id is None else found | {"transaction_id": transaction_id}


def _redacted(key: str, value: Any) -> Any:
    if _is_secret(key):
        return REDACTED
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {str(inner): _redacted(str(inner), item) for inner, item in value.items()}
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
