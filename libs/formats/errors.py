"""Why a file or body is refused. Each class is one stable reason; `position` says where.

FormatError
├── FileEmpty, FileTruncated, FileTooLarge, FileEncoding, FileUnreadable
├── FormatUnknown, VersionUnsupported
├── XmlMalformed, XmlDoctypeForbidden, XmlEncoding, XmlTooDeep, XmlTooLarge
├── StatementEmpty, StatementStructure, StatementIdMissing, StatementAccountMissing, StatementSideInvalid,
│   StatementAmountInvalid, StatementCurrencyUnknown, StatementCurrencyMismatch, StatementDateInvalid
├── SettlementEmpty, SettlementHeaderInvalid, SettlementRowInvalid, SettlementAmountInvalid,
│   SettlementCurrencyUnknown, SettlementDateInvalid, SettlementNetMismatch
└── JsonMalformed, JsonEncoding, JsonDuplicateKey, JsonTooDeep, JsonNumberInvalid, JsonNotAnObject
"""

from __future__ import annotations

from libs.errors import ConcordError, Kind


class FormatError(ConcordError):
    """The input is refused as a whole; nothing of it may be imported.

    `position` is a line, byte offset or element path, or None where the fault is the whole input. The message holds
    no content of the file, which may be personal.
    """

    kind = Kind.INVALID
    reason = "FORMAT_INVALID"

    def __init__(self, message: str, position: str | None = None) -> None:
        super().__init__(message, metadata={"position": position} if position else None)
        self.position = position

    def within(self, place: str) -> FormatError:
        """The same error, its position narrowed by the place that an outer reader knows."""
        return type(self)(str(self), f"{place}, {self.position}" if self.position else place)

    def as_json(self) -> dict[str, str | None]:
        """What `concord inspect` prints of a refusal."""
        return {"reason": self.reason, "message": str(self), "position": self.position}


class FileEmpty(FormatError):
    """No byte but white space."""

    reason = "FILE_EMPTY"


class FileTruncated(FormatError):
    """The file stops before its document does."""

    reason = "FILE_TRUNCATED"


class FileTooLarge(FormatError):
    """More bytes than the caller allows."""

    reason = "FILE_TOO_LARGE"


class FileEncoding(FormatError):
    """Bytes that are not of the format's encoding."""

    reason = "FILE_ENCODING"


class FileUnreadable(FormatError):
    """The file cannot be opened or read."""

    reason = "FILE_UNREADABLE"


class FormatUnknown(FormatError):
    """Not a format that Concord reads."""

    reason = "FORMAT_UNKNOWN"


class VersionUnsupported(FormatError):
    """A known message in a version that Concord does not know."""

    reason = "FORMAT_VERSION_UNSUPPORTED"


class XmlMalformed(FormatError):
    """Not well-formed XML."""

    reason = "XML_MALFORMED"


class XmlDoctypeForbidden(FormatError):
    """A document type declaration: the door of entity bombs and of reading foreign files."""

    reason = "XML_DOCTYPE_FORBIDDEN"


class XmlEncoding(FormatError):
    """Bytes that the declared encoding does not allow, or an encoding that is not accepted."""

    reason = "XML_ENCODING"


class XmlTooDeep(FormatError):
    """Elements nested deeper than any statement is."""

    reason = "XML_TOO_DEEP"


class XmlTooLarge(FormatError):
    """One element or entry larger than memory bounds allow."""

    reason = "XML_TOO_LARGE"


class StatementEmpty(FormatError):
    """A statement message without a statement."""

    reason = "STATEMENT_EMPTY"


class StatementStructure(FormatError):
    """Elements where the message does not allow them."""

    reason = "STATEMENT_STRUCTURE"


class StatementIdMissing(FormatError):
    """A statement without its identification."""

    reason = "STATEMENT_ID_MISSING"


class StatementAccountMissing(FormatError):
    """A statement that does not say whose account it is, or says it after its entries."""

    reason = "STATEMENT_ACCOUNT_MISSING"


class StatementSideInvalid(FormatError):
    """Neither credit nor debit."""

    reason = "STATEMENT_SIDE_INVALID"


class StatementAmountInvalid(FormatError):
    """Missing, signed, not a plain decimal, finer than the currency's minor unit, or beyond 64 bits."""

    reason = "STATEMENT_AMOUNT_INVALID"


class StatementCurrencyUnknown(FormatError):
    """Not an ISO 4217 currency."""

    reason = "STATEMENT_CURRENCY_UNKNOWN"


class StatementCurrencyMismatch(FormatError):
    """A booked entry in another currency than its account's."""

    reason = "STATEMENT_CURRENCY_MISMATCH"


class StatementDateInvalid(FormatError):
    """Not a date of the calendar."""

    reason = "STATEMENT_DATE_INVALID"


class SettlementEmpty(FormatError):
    """A report with its header and no line."""

    reason = "SETTLEMENT_EMPTY"


class SettlementHeaderInvalid(FormatError):
    """A column is missing or named twice."""

    reason = "SETTLEMENT_HEADER_INVALID"


class SettlementRowInvalid(FormatError):
    """A row that is not made as its header says."""

    reason = "SETTLEMENT_ROW_INVALID"


class SettlementAmountInvalid(FormatError):
    """Not a plain decimal with the currency's digits."""

    reason = "SETTLEMENT_AMOUNT_INVALID"


class SettlementCurrencyUnknown(FormatError):
    """Not an ISO 4217 currency."""

    reason = "SETTLEMENT_CURRENCY_UNKNOWN"


class SettlementDateInvalid(FormatError):
    """Not a time as the report writes it."""

    reason = "SETTLEMENT_DATE_INVALID"


class SettlementNetMismatch(FormatError):
    """A row whose gross less fee is not its net."""

    reason = "SETTLEMENT_NET_MISMATCH"


class JsonMalformed(FormatError):
    """Not one JSON text; cut off, concatenated or misspelt."""

    reason = "JSON_MALFORMED"


class JsonEncoding(FormatError):
    """Not UTF-8, or text that UTF-8 cannot hold."""

    reason = "JSON_ENCODING"


class JsonDuplicateKey(FormatError):
    """The same key twice in one object: parsers disagree on which one counts."""

    reason = "JSON_DUPLICATE_KEY"


class JsonTooDeep(FormatError):
    """Nested deeper than allowed."""

    reason = "JSON_TOO_DEEP"


class JsonNumberInvalid(FormatError):
    """NaN, Infinity, or a number beyond any use."""

    reason = "JSON_NUMBER_INVALID"


class JsonNotAnObject(FormatError):
    """The top is not an object."""

    reason = "JSON_NOT_AN_OBJECT"
