"""What can go wrong between us and Odoo, sorted by what a caller must do.

    OdooError
    ├── OdooUnavailable      technical: nothing happened for certain; try again later
    ├── OdooOutcomeUnknown   technical: the reply was lost; look before trying again
    ├── OdooConflict         technical: a concurrent change won; nothing was committed
    ├── OdooRefused          business: a rule of the books says no; to a person
    ├── OdooMissing          business: an id is gone or never was
    ├── OdooDenied           configuration: credentials or rights; stop
    └── OdooMalformed        our request is wrong (unknown field, bad date): a mapping bug

The class is chosen by the name that Odoo gives its error, never by the text, which is
translated and differs between versions. `load` is the one exception: it swallows errors
and keeps their text only, see `conflict_in_load`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from libs.errors import ConcordError, Kind


class OdooError(ConcordError):
    """A call that gave no result.

    `name` is the error's class as Odoo names it. `message` is Odoo's own text: it may
    hold amounts and names, so it is for an exception case, never for logs or spans.
    """

    kind: ClassVar[Kind] = Kind.PRECONDITION
    reason: ClassVar[str] = "ODOO_ERROR"

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(f"Odoo: {name}")
        self.name = name
        self.message = message


class OdooUnavailable(OdooError):
    """The server could not be reached or has no such database; nothing happened."""

    kind = Kind.RETRY
    reason = "ODOO_UNAVAILABLE"


class OdooOutcomeUnknown(OdooError):
    """The request left us and no answer came; it may have been committed."""

    kind = Kind.RETRY
    reason = "ODOO_OUTCOME_UNKNOWN"


class OdooConflict(OdooError):
    """Odoo gave up after its own retries against concurrent changes; nothing was committed."""

    kind = Kind.RETRY
    reason = "ODOO_CONFLICT"


class OdooRefused(OdooError):
    """A rule of the books was broken (unbalanced, already posted, locked, duplicate)."""

    kind = Kind.PRECONDITION
    reason = "ODOO_REFUSED"


class OdooMissing(OdooError):
    """A record that the call names does not exist."""

    kind = Kind.MISSING
    reason = "ODOO_RECORD_MISSING"


class OdooDenied(OdooError):
    """Wrong credentials, an ended session or a missing group."""

    kind = Kind.FORBIDDEN
    reason = "ODOO_DENIED"


class OdooMalformed(OdooError):
    """Odoo does not understand the request: an unknown field, model, method or value."""

    kind = Kind.INVALID
    reason = "ODOO_MALFORMED"


_CLASSES: dict[str, type[OdooError]] = {
    "psycopg2.errors.SerializationFailure": OdooConflict,
    "psycopg2.errors.DeadlockDetected": OdooConflict,
    "psycopg2.errors.LockNotAvailable": OdooConflict,
    "psycopg2.extensions.TransactionRollbackError": OdooConflict,
    "psycopg2.errors.IntegrityError": OdooRefused,
    "psycopg2.errors.UniqueViolation": OdooRefused,
    "psycopg2.errors.ForeignKeyViolation": OdooRefused,
    "psycopg2.errors.NotNullViolation": OdooRefused,
    "psycopg2.errors.CheckViolation": OdooRefused,
    "odoo.exceptions.UserError": OdooRefused,
    "odoo.exceptions.ValidationError": OdooRefused,
    "odoo.exceptions.RedirectWarning": OdooRefused,
    "odoo.exceptions.MissingError": OdooMissing,
    "odoo.exceptions.AccessDenied": OdooDenied,
    "odoo.exceptions.AccessError": OdooDenied,
    "odoo.http.SessionExpiredException": OdooDenied,
    "werkzeug.exceptions.Unauthorized": OdooDenied,
    "werkzeug.exceptions.Forbidden": OdooDenied,
    "werkzeug.exceptions.TooManyRequests": OdooUnavailable,
    "werkzeug.exceptions.ServiceUnavailable": OdooUnavailable,
    "werkzeug.exceptions.InternalServerError": OdooOutcomeUnknown,
}


def error_for(name: str, message: str = "") -> OdooError:
    """The error for a class name that Odoo gave; anything unknown is a mapping bug.

    Any other trouble of the database (`psycopg2.OperationalError`: gone or going down) can
    strike at the commit itself, so its outcome is unknown.
    """
    database = OdooOutcomeUnknown if name.startswith("psycopg2.") else OdooMalformed
    return _CLASSES.get(name, database)(name, message)


# PostgreSQL's own words, in the server's language: the only sign that `load` leaves of a
# conflict. A text that is not recognised is a refusal, so that a person sees it.
_CONFLICT_TEXTS = ("could not serialize access", "deadlock detected", "could not obtain lock")


def conflict_in_load(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether `load` answered `ids: false` because of a concurrent change (retry from the look-up)."""
    texts = [str(message.get("message", "")) for message in messages]
    return bool(texts) and any(known in text for text in texts for known in _CONFLICT_TEXTS)
