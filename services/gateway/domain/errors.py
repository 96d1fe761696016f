"""The gateway's errors; `providers.errors` has those of reading a delivery and of asking an API.

ConcordError
├── SourceUnknown             MISSING       no such partner account here
├── FileKindUnknown           INVALID       a file that nobody here reads
├── DeliveryUnknown           MISSING
├── DeliveryStateInvalid      PRECONDITION  a transition that the table does not have
└── ReplayConflict            CONFLICT      the same request id for another delivery
"""

from __future__ import annotations

from libs.errors import ConcordError, Kind


class SourceUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "SOURCE_UNKNOWN"

    def __init__(self) -> None:
        super().__init__("no such source is configured")


class FileKindUnknown(ConcordError):
    kind = Kind.INVALID
    reason = "FILE_KIND_UNKNOWN"


class DeliveryUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "DELIVERY_UNKNOWN"


class DeliveryStateInvalid(ConcordError):
    kind = Kind.PRECONDITION
    reason = "DELIVERY_STATE_INVALID"


class ReplayConflict(ConcordError):
    kind = Kind.CONFLICT
    reason = "REQUEST_ID_REUSED"
