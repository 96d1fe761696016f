"""Why a delivery is refused or cannot be read, and why a provider's API did not answer.

ConcordError
├── SignatureRefused          UNAUTHENTICATED  the sender did not prove these bytes
│   ├── SignatureMissing
│   └── SignatureStale                         proved, but too old to be fresh: perhaps a replay
├── ShapeInvalid              INVALID          proved, but not what the provider sends
│   ├── AmountInvalid
│   └── TotalUnexplained                       a document whose lines are not its total
├── ApiUnavailable            RETRY            the API did not answer
└── ApiRefused                PRECONDITION     it answered that it will not
"""

from __future__ import annotations

from libs.errors import ConcordError, Kind


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


class ApiUnavailable(ConcordError):
    kind = Kind.RETRY
    reason = "PROVIDER_UNAVAILABLE"


class ApiRefused(ConcordError):
    kind = Kind.PRECONDITION
    reason = "PROVIDER_REFUSED"
