"""The wires between the services, in one process: real stubs and servicers, and no sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from libs.access import EVERYTHING
from libs.errors import ConcordError
from libs.rpc.errors import STATUS, RemoteError
from libs.rpc.identity import Identity, acting_as

Deliver = Callable[[Callable[[], Any]], Any]


class Context:
    """What handlers ask of a call. A stream ends when nothing more is there: `is_active` says so at the second look."""

    def __init__(self) -> None:
        self._looks = 0

    def is_active(self) -> bool:
        self._looks += 1
        return self._looks <= 1


class Channel:
    """A channel to whichever process of a service runs at the moment of the call.

    `deliver` carries a call out: it may lose the request or the reply, or let time pass.
    """

    def __init__(self, caller: str, servicer: Callable[[], Any], deliver: Deliver) -> None:
        self._identity = Identity(f"services/{caller}", frozenset({caller}), EVERYTHING)
        self._servicer = servicer
        self._deliver = deliver

    def unary_unary(self, method: str, **_: Any) -> Callable[..., Any]:
        return lambda request, **__: self._deliver(lambda: self._answer(method, request))

    def stream_unary(self, method: str, **_: Any) -> Callable[..., Any]:
        return lambda requests, **__: self._deliver(lambda: self._answer(method, iter(requests)))

    def unary_stream(self, method: str, **_: Any) -> Callable[..., Iterator[Any]]:
        """What there is at the moment, and then the stream's end."""
        return lambda request, **__: iter(self._deliver(lambda: list(self._answer(method, request))))

    def stream_stream(self, method: str, **_: Any) -> Callable[..., Any]:
        raise NotImplementedError(method)

    def _answer(self, method: str, request: Any) -> Any:
        handler = getattr(self._servicer(), method.rpartition("/")[2])
        try:
            with acting_as(self._identity):
                answer = handler(request, Context())
                return list(answer) if isinstance(answer, Iterator) else answer
        except ConcordError as error:
            raise _remote(error) from None


def _remote(error: ConcordError) -> RemoteError:
    """The error as its caller gets it."""
    return RemoteError(
        str(error),
        kind=error.kind,
        reason=error.reason,
        code=STATUS[error.kind],
        field=error.field,
        metadata=error.metadata,
    )
