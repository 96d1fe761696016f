"""RFC 9457 problem bodies: each reason is stable, and clients branch on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

from libs.errors import ConcordError, Kind
from libs.formats.errors import FileTooLarge

CONTENT_TYPE = b"application/problem+json"
TYPE_PREFIX = "urn:concord:problem:"

_STATUS = {
    Kind.INVALID: HTTPStatus.BAD_REQUEST,
    Kind.MISSING: HTTPStatus.NOT_FOUND,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.STALE: HTTPStatus.CONFLICT,
    Kind.PRECONDITION: HTTPStatus.CONFLICT,
    Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Kind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Kind.EXHAUSTED: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.RETRY: HTTPStatus.SERVICE_UNAVAILABLE,
}
_STATUS_OF_REASON = {
    FileTooLarge.reason: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "FILE_KIND_UNKNOWN": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "PARTNER_RATE_LIMITED": HTTPStatus.TOO_MANY_REQUESTS,
    "STORAGE_FULL": HTTPStatus.INSUFFICIENT_STORAGE,
}
RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class HttpProblem:
    """An answer that refuses. `close` ends the connection: its body was not read."""

    status: HTTPStatus
    reason: str
    detail: str
    position: str = ""
    retry_after_seconds: int = 0
    close: bool = False
    allow: str = ""  # the route's method, where another was used

    def body(self) -> bytes:
        """The JSON that the client gets."""
        content: dict[str, object] = {
            "type": TYPE_PREFIX + self.reason.lower().replace("_", "-"),
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            "reason": self.reason,
        }
        if self.position:
            content["position"] = self.position
        return json.dumps(content, separators=(",", ":")).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = []
        if self.retry_after_seconds:
            found.append((b"retry-after", b"%d" % self.retry_after_seconds))
        if self.status is HTTPStatus.UNAUTHORIZED:
            found.append((b"www-authenticate", b"Bearer" if self.reason.startswith("TOKEN") else b"Signature"))
        if self.allow:
            found.append((b"allow", self.allow.encode()))
        if self.close:
            found.append((b"connection", b"close"))
        return found

    def answer(self) -> bytes:
        """The whole answer, where nobody else writes one."""
        body = self.body()
        headers = [(b"content-type", CONTENT_TYPE), (b"content-length", b"%d" % len(body)), *self.headers()]
        lines = [b"HTTP/1.1 %d %s" % (self.status, self.status.phrase.encode())]
        return b"\r\n".join([*lines, *(b"%s: %s" % header for header in headers), b"", body])


def problem_of(error: ConcordError) -> HttpProblem:
    """What an error is to a partner."""
    status = _STATUS_OF_REASON.get(error.reason, _STATUS[error.kind])
    temporary = status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE)
    return HttpProblem(
        status,
        error.reason,
        str(error),
        position=error.metadata.get("position", "") or error.field or "",
        retry_after_seconds=RETRY_AFTER_SECONDS if temporary else 0,
    )


def limited(retry_after_seconds: int) -> HttpProblem:
    """The partner's own limit is reached."""
    return HttpProblem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "PARTNER_RATE_LIMITED",
        "more deliveries than this source may send",
        retry_after_seconds=max(1, retry_after_seconds),
    )


def not_allowed(method: str) -> HttpProblem:
    """The route takes `method` alone."""
    detail = "this route takes another method"
    return HttpProblem(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail, close=True, allow=method)


NOT_FOUND = HttpProblem(HTTPStatus.NOT_FOUND, "ROUTE_UNKNOWN", "no such route", close=True)
TOO_LARGE = HttpProblem(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, FileTooLarge.reason, "the body is larger than allowed", close=True
)
TOO_SLOW = HttpProblem(HTTPStatus.REQUEST_TIMEOUT, "BODY_TOO_SLOW", "the body did not come in time", close=True)
LENGTH_INVALID = HttpProblem(
    HTTPStatus.BAD_REQUEST, "CONTENT_LENGTH_INVALID", "content-length is no number", close=True
)
ENCODED = HttpProblem(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "CONTENT_ENCODING_UNSUPPORTED", "send the body without encoding", close=True
)
NOT_READY = HttpProblem(
    HTTPStatus.SERVICE_UNAVAILABLE, "NOT_READY", "the store does not answer", retry_after_seconds=RETRY_AFTER_SECONDS
)
MALFORMED = HttpProblem(HTTPStatus.BAD_REQUEST, "HTTP_MALFORMED", "this is no HTTP/1.1 request", close=True)
HEAD_TOO_LARGE = HttpProblem(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LARGE", "the head is larger than allowed", close=True
)
HEAD_TOO_SLOW = HttpProblem(HTTPStatus.REQUEST_TIMEOUT, "HEADERS_TOO_SLOW", "the head did not come in time", close=True)
TOO_MANY_CONNECTIONS = HttpProblem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "TOO_MANY_CONNECTIONS",
    "no place for another connection",
    retry_after_seconds=RETRY_AFTER_SECONDS,
    close=True,
)
