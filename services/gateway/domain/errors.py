"""The gateway's errors.

ConcordError
├── SourceUnknown             MISSING          no such partner account here
├── SignatureRefused          UNAUTHENTICATED  the sender did not prove these bytes
│   ├── SignatureMissing
│   └── SignatureStale                         proved, but too old to be fresh: perhaps a replay
├── ShapeInvalid              INVALID          proved, but not what the provider sends
│   ├── AmountInvalid
│   ├── TotalUnexplained                       a document whose lines are not its total
│   └── TaxNotOurs                             a tax that the sales channel owes, not the seller
├── FileKindUnknown           INVALID          a file that nobody here reads
├── DeliveryUnknown           MISSING
├── DeliveryStateInvalid      PRECONDITION     a transition that the table does not have
├── ReplayConflict            CONFLICT         the same request id for another delivery
├── PartnerLimited            EXHAUSTED        the partner's own rate limit
├── EventConflict             CONFLICT         the fact is known with other content
├── ApiUnavailable            RETRY            a provider's API did not answer
└── ApiRefused                PRECONDITION     it answered that it will not
"""

from __future__ import annotations

from libs.errors import ConcordError, Kind


class SourceUnknown(ConcordError):
    kind = Kind.MISSING
    reason = "SOURCE_UNKNOWN"

    def __init__(self) -> None:
        super().__init__("no such source is configured")


class SignatureRefused(ConcordError):
    kind = Kind.UNAUTHENTICATED
    reason = "SIGNATURE_INVALID"


class SignatureMissing(SignatureRefused):
    reason = "SIGNATURE_MISSING"


class SignatureStale(SignatureRefused):
    reason = "SIGNATURE_STALE"


class ShapeInvalid(ConcordError):
    kind = Kind.INVALID
    reason = "DELIVERY_SHAPE_INVALID"


class AmountInvalid(ShapeInvalid):
    reason = "DELIVERY_AMOUNT_INVALID"


class TotalUnexplained(ShapeInvalid):
    reason = "DOCUMENT_TOTAL_UNEXPLAINED"


class TaxNotOurs(ShapeInvalid):
    reason = "TAX_CHANNEL_LIABLE"


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


class PartnerLimited(ConcordError):
    kind = Kind.EXHAUSTED
    reason = "PARTNER_RATE_LIMITED"


class EventConflict(ConcordError):
    kind = Kind.CONFLICT
    reason = "EVENT_CONFLICT"


class ApiUnavailable(ConcordError):
    kind = Kind.RETRY
    reason = "PROVIDER_UNAVAILABLE"


class ApiRefused(ConcordError):
    kind = Kind.PRECONDITION
    reason = "PROVIDER_REFUSED"
