"""The base of every error that a caller can act on.

A service's own errors sit in its `domain/errors.py`; anything that is not a
`ConcordError` is a bug. `libs.rpc.errors` alone turns a kind into a gRPC status.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What a caller can do about a failure; one gRPC status each."""

    INVALID = "invalid"  # correct the request
    MISSING = "missing"  # the named thing does not exist
    CONFLICT = "conflict"  # exists already, with other content
    STALE = "stale"  # read again, then retry (etag, concurrent change)
    PRECONDITION = "precondition"  # the state does not allow it now
    FORBIDDEN = "forbidden"  # the caller may not
    UNAUTHENTICATED = "unauthenticated"  # the caller is not known
    EXHAUSTED = "exhausted"  # a limit; try later or send less
    RETRY = "retry"  # technical; the same request may succeed later

    @property
    def is_technical(self) -> bool:
        """Whether the same call between services may succeed later, so that a worker retries within its budget.

        Credentials are replaced and rights granted meanwhile, so a service that is refused has met no business failure.
        """
        return self in _TECHNICAL


_TECHNICAL = frozenset({Kind.RETRY, Kind.STALE, Kind.EXHAUSTED, Kind.UNAUTHENTICATED, Kind.FORBIDDEN})


class ConcordError(Exception):
    """Base of all errors that a caller can act on.

    The message carries no amounts, names or secrets: it ends in logs and spans.
    """

    kind: ClassVar[Kind] = Kind.INVALID
    reason: ClassVar[str] = "UNSPECIFIED"  # stable, UPPER_SNAKE_CASE; clients branch on it

    def __init__(self, message: str, *, field: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field  # the offending field of the request, where one can be named
        self.metadata: Mapping[str, str] = dict(metadata or {})
