"""The one boundary between `ConcordError` and gRPC statuses, in both directions.

On the wire a failure is a status with google.rpc details: `ErrorInfo` (domain `concord`, the stable reason,
metadata) always, `BadRequest` where a field is to blame, `RetryInfo` where the same call may succeed later.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from libs.errors import ConcordError, Kind
from libs.rpc.failures import safe_stack
from libs.rpc.interception import CallInterceptor

logger = logging.getLogger(__name__)

DOMAIN = "concord"

STATUS: Mapping[Kind, grpc.StatusCode] = {
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.MISSING: grpc.StatusCode.NOT_FOUND,
    Kind.CONFLICT: grpc.StatusCode.ALREADY_EXISTS,
    Kind.STALE: grpc.StatusCode.ABORTED,
    Kind.PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.RETRY: grpc.StatusCode.UNAVAILABLE,
}

# Statuses that gRPC itself makes carry no ErrorInfo; the caller still gets a kind and a stable reason.
BARE: Mapping[grpc.StatusCode, tuple[Kind, str]] = {
    grpc.StatusCode.INVALID_ARGUMENT: (Kind.INVALID, "INVALID_ARGUMENT"),
    grpc.StatusCode.OUT_OF_RANGE: (Kind.INVALID, "OUT_OF_RANGE"),
    grpc.StatusCode.UNIMPLEMENTED: (Kind.INVALID, "METHOD_UNIMPLEMENTED"),
    grpc.StatusCode.NOT_FOUND: (Kind.MISSING, "NOT_FOUND"),
    grpc.StatusCode.ALREADY_EXISTS: (Kind.CONFLICT, "ALREADY_EXISTS"),
    grpc.StatusCode.ABORTED: (Kind.STALE, "ABORTED"),
    grpc.StatusCode.FAILED_PRECONDITION: (Kind.PRECONDITION, "FAILED_PRECONDITION"),
    grpc.StatusCode.PERMISSION_DENIED: (Kind.FORBIDDEN, "PERMISSION_DENIED"),
    grpc.StatusCode.UNAUTHENTICATED: (Kind.UNAUTHENTICATED, "UNAUTHENTICATED"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (Kind.EXHAUSTED, "RESOURCE_EXHAUSTED"),
    grpc.StatusCode.UNAVAILABLE: (Kind.RETRY, "SERVICE_UNAVAILABLE"),
    grpc.StatusCode.DEADLINE_EXCEEDED: (Kind.RETRY, "DEADLINE_EXCEEDED"),
    grpc.StatusCode.CANCELLED: (Kind.RETRY, "CALL_CANCELLED"),
    grpc.StatusCode.INTERNAL: (Kind.RETRY, "REMOTE_INTERNAL_ERROR"),
    grpc.StatusCode.UNKNOWN: (Kind.RETRY, "REMOTE_INTERNAL_ERROR"),
    grpc.StatusCode.DATA_LOSS: (Kind.RETRY, "REMOTE_INTERNAL_ERROR"),
}

# Trailers must stay well under gRPC's 8 KiB of metadata, or the client sees nothing but a broken stream.
MESSAGE_CHARACTERS = 1000
METADATA_ENTRIES = 16
METADATA_CHARACTERS = 256

RETRY_SECONDS = {Kind.RETRY: 1.0, Kind.STALE: 0.0, Kind.EXHAUSTED: 1.0}


class InvalidRequest(ConcordError):
    """A request breaks its contract in `field`; nothing was changed."""

    kind = Kind.INVALID
    reason = "REQUEST_INVALID"


class DeadlineExceeded(ConcordError):
    """The call ran into its time limit on the server; it may have taken effect."""

    kind = Kind.RETRY
    reason = "DEADLINE_EXCEEDED"


class RemoteError(ConcordError):
    """A failure that another service answered, with its kind, reason, field and metadata.

    `code` is the gRPC status; `retry_seconds` the pause that the server asked for, if any. The outcome of a
    call with `code` DEADLINE_EXCEEDED, UNAVAILABLE, CANCELLED or INTERNAL is not known to the caller.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: Kind,
        reason: str,
        code: grpc.StatusCode,
        field: str | None = None,
        metadata: Mapping[str, str] | None = None,
        retry_seconds: float | None = None,
    ) -> None:
        super().__init__(message, field=field, metadata=metadata)
        # Declared for classes; here each instance speaks for another process's class.
        self.kind = kind  # type: ignore[misc]
        self.reason = reason  # type: ignore[misc]
        self.code = code
        self.retry_seconds = retry_seconds


def status_of(error: ConcordError) -> status_pb2.Status:
    """The google.rpc.Status that says what `error` says."""
    code = error.code if isinstance(error, RemoteError) else STATUS[error.kind]
    if isinstance(error, DeadlineExceeded):
        code = grpc.StatusCode.DEADLINE_EXCEEDED
    message = str(error)[:MESSAGE_CHARACTERS]
    metadata = dict(list(error.metadata.items())[:METADATA_ENTRIES])
    info = error_details_pb2.ErrorInfo(
        reason=error.reason,
        domain=DOMAIN,
        metadata={key: str(value)[:METADATA_CHARACTERS] for key, value in metadata.items()},
    )
    status = status_pb2.Status(code=code.value[0], message=message)
    packed = [_packed(info)]
    if error.field is not None:
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=message)
        packed.append(_packed(error_details_pb2.BadRequest(field_violations=[violation])))
    retry_seconds = _retry_seconds(error)
    if retry_seconds is not None:
        delay = Duration()
        delay.FromMilliseconds(round(retry_seconds * 1000))
        packed.append(_packed(error_details_pb2.RetryInfo(retry_delay=delay)))
    status.details.extend(packed)
    return status


def error_of(failure: grpc.RpcError) -> RemoteError:
    """The error that a failed call's status says, as `status_of` put it there or as gRPC made it itself."""
    code = failure.code() if isinstance(failure, grpc.Call) else grpc.StatusCode.UNKNOWN
    code = code or grpc.StatusCode.UNKNOWN
    kind, reason = BARE.get(code, (Kind.RETRY, "REMOTE_INTERNAL_ERROR"))
    message = (failure.details() if isinstance(failure, grpc.Call) else None) or code.name
    field: str | None = None
    retry_seconds: float | None = None
    metadata: dict[str, str] = {}
    for detail in _details_of(failure):
        info = error_details_pb2.ErrorInfo()
        bad_request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason, metadata = info.reason or reason, dict(info.metadata)
        elif detail.Unpack(bad_request) and bad_request.field_violations:
            field = bad_request.field_violations[0].field
        elif detail.Unpack(retry):
            retry_seconds = retry.retry_delay.ToMilliseconds() / 1000
    return RemoteError(
        message, kind=kind, reason=reason, code=code, field=field, metadata=metadata, retry_seconds=retry_seconds
    )


class ErrorInterceptor(CallInterceptor):
    """Turns what a call raises into a status. What is not a `ConcordError` is a bug: logged once, told to nobody."""

    def around(self, method: str, context: grpc.ServicerContext) -> AbstractContextManager[None]:
        return _Answered(method, context)


class _Answered(AbstractContextManager[None]):
    """A class rather than a generator, which would cost each call that succeeds more than all that it does."""

    __slots__ = ("_context", "_method")

    def __init__(self, method: str, context: grpc.ServicerContext) -> None:
        self._method = method
        self._context = context

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ConcordError):
            self._context.abort_with_status(rpc_status.to_status(status_of(error)))
        elif isinstance(error, Exception) and not _is_abort(error, self._context):  # gRPC would show its text
            logger.error("unhandled %s in %s\n%s", type(error).__name__, self._method, safe_stack(error))
            self._context.abort_with_status(rpc_status.to_status(_internal()))


def _is_abort(error: Exception, context: grpc.ServicerContext) -> bool:
    """Whether a servicer itself called `context.abort`, which sets the code and raises a bare Exception."""
    return type(error) is Exception and not error.args and context.code() not in (None, grpc.StatusCode.OK)  # type: ignore[attr-defined]


def _internal() -> status_pb2.Status:
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN)
    code: int = grpc.StatusCode.INTERNAL.value[0]
    return status_pb2.Status(code=code, message="internal error", details=[_packed(info)])


def _packed(message: Message) -> any_pb2.Any:
    detail = any_pb2.Any()
    detail.Pack(message)
    return detail


def _retry_seconds(error: ConcordError) -> float | None:
    if isinstance(error, RemoteError) and error.retry_seconds is not None:
        return error.retry_seconds
    return RETRY_SECONDS.get(error.kind)


def _details_of(failure: grpc.RpcError) -> list[any_pb2.Any]:
    try:
        status = rpc_status.from_call(failure)  # type: ignore[arg-type]
    except (ValueError, AttributeError):
        return []  # details that contradict the status, or no call at all: the bare status stands
    return list(status.details) if status is not None else []
